import { describe, expect, it } from 'vitest';
import type { DetectionResult } from './schema';
import { chosenPill, isReady, newShot, partToSend, partToShow, withFound } from './shot';

const SIZE = { width: 1600, height: 1200 };

function found(count: number): DetectionResult {
  const pills = Array.from({ length: count }, (_, i) => ({
    box: [100 * i, 0, 100 * i + 40, 40] as [number, number, number, number],
    score: 0.9,
    polygon: [] as [number, number][],
  }));
  return { pills, image: { width: 800, height: 600 } };
}

describe('a shot', () => {
  it('waits until it was looked at', () => {
    expect(isReady(newShot(SIZE))).toBe(false);
    expect(partToSend(newShot(SIZE))).toBeNull();
  });

  it('with one pill means that pill, in px of the whole photo', () => {
    const shot = withFound(newShot(SIZE), found(1));
    expect(chosenPill(shot)?.box).toEqual([0, 0, 80, 80]);
    expect(isReady(shot)).toBe(true);
    expect(partToSend(shot)?.width).toBe(208);
    expect(partToShow(shot).width).toBe(99);
  });

  it('with several waits for a choice', () => {
    const shot = withFound(newShot(SIZE), found(3));
    expect(isReady(shot)).toBe(false);
    expect(chosenPill({ ...shot, chosen: 2 })?.box[0]).toBe(400);
    expect(isReady({ ...shot, chosen: 2 })).toBe(true);
  });

  it('without any goes on only if the person wants to, and then is sent whole', () => {
    const shot = withFound(newShot(SIZE), found(0));
    expect(isReady(shot)).toBe(false);
    expect(isReady({ ...shot, anyway: true })).toBe(true);
    expect(partToSend({ ...shot, anyway: true })).toBeNull();
    expect(partToShow(shot)).toEqual({ x: 0, y: 0, ...SIZE });
  });

  it('goes on whole when it could not be looked at', () => {
    expect(isReady({ ...newShot(SIZE), finding: { state: 'failed' } })).toBe(true);
  });
});
