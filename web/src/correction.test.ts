import { expect, it } from 'vitest';
import { corrections, reading } from './correction';
import type { Identification, Side } from './schema';

function side(changes: Partial<Side>): Side {
  return { side: 'front', pill: null, imprint: null, colors: [], shape: null, form: null, quality: null, ...changes };
}

function answer(sides: Side[]): Identification {
  const versions = { bundle: '0', catalogs: {} };
  return { decision: 'candidates', reason: null, candidates: [], sides, missing: [], versions };
}

const NONE = { imprint: '', shape: '', color: '' };

it('reads both sides together', () => {
  const front = side({
    imprint: { text: 'TEVA', confidence: 0.9 },
    shape: { name: 'oval', probability: 0.6 },
    colors: [{ name: 'blue', probability: 0.7 }],
  });
  const back = side({
    imprint: { text: '576', confidence: 0.9 },
    shape: { name: 'round', probability: 0.8 },
    colors: [{ name: 'teal', probability: 0.5 }],
  });
  expect(reading(answer([front, back]))).toEqual({ imprint: 'TEVA 576', shape: 'round', color: 'blue' });
  expect(reading(answer([side({})]))).toEqual(NONE);
});

it('tells the service only what a person put differently', () => {
  const read = { imprint: 'TEVA', shape: 'round', color: 'blue' };
  expect(corrections(read, read, NONE)).toEqual(NONE);
  expect(corrections(read, { ...read, imprint: ' TEVA 576 ' }, NONE)).toEqual({ ...NONE, imprint: 'TEVA 576' });
  expect(corrections(read, { ...read, color: '' }, NONE)).toEqual(NONE);
});

it('keeps an earlier correction although the machine reads the same by now', () => {
  const read = { imprint: 'TEVA', shape: 'round', color: 'blue' };
  expect(corrections(read, read, { ...NONE, color: 'blue' })).toEqual({ ...NONE, color: 'blue' });
});
