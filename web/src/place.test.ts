import { expect, it } from 'vitest';
import { placeOf } from './place';

it('an address names a place', () => {
  expect(placeOf('#answer')).toBe('answer');
  expect(placeOf('#describe')).toBe('describe');
  expect(placeOf('')).toBe('photo');
  expect(placeOf('#', 'browse')).toBe('photo');
});

it('an address that names anything else leads nowhere', () => {
  expect(placeOf('#main')).toBe('photo');
  expect(placeOf('#main', 'browse')).toBe('browse');
});
