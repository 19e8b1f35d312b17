import { describe, expect, it } from 'vitest';
import { differences, imprints, outOf100, probablyNone, rival, sureness } from './compare';
import type { Candidate, Look } from './schema';

function look(changes: Partial<Look> = {}): Look {
  return {
    item_id: 'us-nih:1',
    name: 'a',
    imprint_front: 'TEVA',
    imprint_back: '576',
    shape: 'round',
    colors: ['blue'],
    form: 'tablet',
    ...changes,
  };
}

function candidate(id: string, same: string[] = []): Candidate {
  return {
    ...look({ item_id: id }),
    rank: 1,
    catalog: 'us-nih',
    manufacturer: null,
    score: 0.5,
    evidence: { visual: null, imprint: null, color: null, shape: null, form: null },
    same_appearance: same,
    image_url: null,
    drawing_url: '',
  };
}

describe('differences', () => {
  it('finds none between pills that look alike, whichever side is called front', () => {
    expect(differences(look(), look({ imprint_front: '576', imprint_back: 'Teva' }))).toEqual([]);
    expect(differences(look(), look({ imprint_front: '576 TEVA', imprint_back: null }))).toEqual([]);
  });

  it('names imprint before shape, colours and form', () => {
    const other = look({ imprint_back: '577', shape: 'oval', colors: ['blue', 'white'], form: 'hard capsule' });
    expect(differences(look(), other).map(({ trait }) => trait)).toEqual(['imprint', 'shape', 'colors', 'form']);
  });

  it('tells a blank side from one that the catalogue is silent about', () => {
    const [blank] = differences(look(), look({ imprint_back: '' }));
    expect(blank?.second).toEqual(['TEVA', '']);
    const [silent] = differences(look(), look({ imprint_front: null, imprint_back: null }));
    expect(silent?.second).toBeNull();
  });

  it('compares score lines and sizes where both rows state them', () => {
    const small = { ...look(), score_line: 'line', length_mm: 8, width_mm: 8 };
    expect(differences(small, { ...small, score_line: 'none', length_mm: 8.3 }).map(({ trait }) => trait)).toEqual([
      'score_line',
    ]);
    expect(differences(small, { ...small, length_mm: 8, width_mm: 9.1 })).toEqual([
      { trait: 'size', first: ['8', '8'], second: ['9.1', '8'] },
    ]);
    expect(differences(small, look())).toEqual([]);
  });

  it('keeps Hangul', () => {
    expect(differences(look({ imprint_front: '대웅' }), look({ imprint_front: '동아' }))).toHaveLength(1);
  });
});

it('knows which imprints a catalogue states', () => {
  expect(imprints(look({ imprint_back: null }))).toEqual(['TEVA']);
  expect(imprints(look({ imprint_front: null, imprint_back: null }))).toBeNull();
});

describe('a score', () => {
  it('is never shown as certain, nor as nothing', () => {
    expect([0, 0.004, 0.5, 0.996, 1].map(outOf100)).toEqual([1, 1, 50, 99, 99]);
  });

  it('has a word', () => {
    expect([0.95, 0.7, 0.3, 0.1].map(sureness)).toEqual(['very_likely', 'likely', 'possible', 'unlikely']);
  });
});

describe('the rival', () => {
  it('is the next candidate that does not look the same by itself', () => {
    const found = rival([candidate('a', ['b']), candidate('b'), candidate('c')]);
    expect(found?.item_id).toBe('c');
  });

  it('may not exist', () => {
    expect(rival([candidate('a', ['b']), candidate('b')])).toBeNull();
    expect(rival([])).toBeNull();
  });
});

it('adds the candidates up before it calls them improbable', () => {
  const scores = (...values: number[]) => values.map((score) => ({ score }));
  expect(probablyNone(scores(0.09, 0.03, 0.03, 0.02))).toBe(true);
  expect(probablyNone(scores(0.2, 0.2, 0.2))).toBe(false); // look-alikes share what one would have
  expect(probablyNone(scores(0.5))).toBe(false);
});
