import { expect, it } from 'vitest';
import { inTime, notePace, noteTooSlow } from './pace';

it('goes by the last upload that was large enough to tell', () => {
  expect(inTime(10_000_000)).toBe(true);
  notePace(40_000, 4); // 10 kB/s: 50 kB in five seconds
  expect([inTime(50_000), inTime(51_000)]).toEqual([true, false]);
  notePace(100, 0.0001);
  expect(inTime(51_000)).toBe(false);
  notePace(40_000, 0.1);
  expect(inTime(51_000)).toBe(true);
  noteTooSlow();
  expect(inTime(1)).toBe(false);
});
