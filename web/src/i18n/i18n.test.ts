import { describe, expect, it } from 'vitest';
import { COLORS, FORMS, SHAPES } from '../schema';
import { chosenLanguage, LANGUAGES } from './index';

describe('the language', () => {
  it('is the one kept, else the first wished that we speak, else English', () => {
    expect(chosenLanguage('ko', ['en-US'])).toBe('ko');
    expect(chosenLanguage(null, ['fr', 'ko-KR', 'en'])).toBe('ko');
    expect(chosenLanguage('xx', ['de'])).toBe('en');
  });
});

describe.each(Object.entries(LANGUAGES))('%s', (_, words) => {
  it('names every colour, shape and form', () => {
    expect(COLORS.map((name) => words.color[name]).every(Boolean)).toBe(true);
    expect(SHAPES.map((name) => words.shape[name]).every(Boolean)).toBe(true);
    expect(FORMS.map((name) => words.form[name]).every(Boolean)).toBe(true);
  });

  it('leaves no text empty', () => {
    const empty: string[] = [];
    const walk = (value: unknown, path: string) => {
      if (value === '') empty.push(path);
      else if (typeof value === 'function') walk(value('1', '2'), path);
      else if (value && typeof value === 'object') {
        for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
      }
    };
    walk(words, '');
    expect(empty).toEqual([]);
  });
});

it('Korean is Korean: no text is the English one', () => {
  const same: string[] = [];
  const walk = (en: unknown, ko: unknown, path: string) => {
    if (typeof en === 'string' && en === ko) same.push(path);
    if (en && typeof en === 'object') {
      for (const key of Object.keys(en)) walk(en[key as never], (ko as object)[key as never], `${path}.${key}`);
    }
  };
  walk(LANGUAGES.en, LANGUAGES.ko, '');
  expect(same).toEqual([]);
});
