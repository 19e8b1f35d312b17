import { describe, expect, it } from 'vitest';
import type { Look } from '../schema';
import { en } from './en';
import { ko } from './ko';
import { dateInWords, imprintInWords, lookInWords, traitInWords } from './words';

const PLAIN: Look = {
  item_id: 'us-nih:1',
  name: 'a',
  imprint_front: 'TEVA',
  imprint_back: '',
  shape: 'round',
  colors: ['blue', 'white'],
  form: 'tablet',
};

describe('dates', () => {
  it('are written out, so that no month is taken for a day', () => {
    expect(dateInWords('2018-06-07', 'en')).toBe('7 June 2018');
    expect(dateInWords('2018-06-07', 'ko')).toBe('2018년 6월 7일');
  });

  it('of another kind stay as they are', () => {
    expect(dateInWords('summer 2018', 'en')).toBe('summer 2018');
    expect(dateInWords('', 'ko')).toBe('');
  });
});

it('a look is told in the words of the reader', () => {
  expect(lookInWords(PLAIN, en)).toBe('blue + white, round, tablet');
  expect(lookInWords(PLAIN, ko)).toBe('파랑 + 하양, 원형, 정제');
  expect(imprintInWords(PLAIN, en)).toBe('TEVA / blank');
});

it('what a catalogue does not say is told as not stated', () => {
  const silent = { ...PLAIN, imprint_front: null, imprint_back: null, shape: null, colors: [], form: null };
  expect(lookInWords(silent, en)).toBe('not stated');
  expect(imprintInWords(silent, en)).toBe('not stated');
  expect(traitInWords('size', null, ko)).toBe(ko.card.unknown);
});

it('sizes have their unit, and unknown words stay', () => {
  expect(traitInWords('size', ['9.1', '8'], en)).toBe('9.1 × 8 mm');
  expect(traitInWords('score_line', ['cross'], ko)).toBe('십자');
  expect(traitInWords('colors', ['mauve'], en)).toBe('mauve');
});
