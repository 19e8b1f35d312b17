import { describe, expect, it } from 'vitest';
import { cutAround, cutClearOf, rescaled, rescaledPolygon, scaledTo } from './geometry';

describe('scaledTo', () => {
  it('makes the long side fit and keeps the proportions', () => {
    expect(scaledTo({ width: 4000, height: 3000 }, 800)).toEqual({ width: 800, height: 600 });
    expect(scaledTo({ width: 3000, height: 4000 }, 800)).toEqual({ width: 600, height: 800 });
  });

  it('never enlarges, and never makes a side vanish', () => {
    expect(scaledTo({ width: 300, height: 200 }, 800)).toEqual({ width: 300, height: 200 });
    expect(scaledTo({ width: 9000, height: 2 }, 800)).toEqual({ width: 800, height: 1 });
  });
});

describe('cutAround', () => {
  const photo = { width: 1000, height: 800 };

  it('is a square around the pill with its margin', () => {
    expect(cutAround([400, 300, 500, 340], photo, 1)).toEqual({ x: 300, y: 170, width: 300, height: 300 });
  });

  it('stays inside the photo at its borders and corners', () => {
    expect(cutAround([0, 0, 100, 100], photo, 1)).toEqual({ x: 0, y: 0, width: 300, height: 300 });
    expect(cutAround([950, 780, 1000, 800], photo, 1)).toEqual({ x: 850, y: 650, width: 150, height: 150 });
  });

  it('is at most the photo', () => {
    expect(cutAround([100, 100, 900, 700], photo, 1)).toEqual({ x: 0, y: 0, width: 1000, height: 800 });
  });
});

describe('cutClearOf', () => {
  const photo = { width: 1000, height: 800 };
  const pill: [number, number, number, number] = [400, 300, 500, 400];

  it('is the whole square where nothing else lies in it', () => {
    expect(cutClearOf(pill, [[800, 300, 900, 400]], photo, 1)).toEqual(cutAround(pill, photo, 1));
  });

  it('ends where its neighbours begin', () => {
    const others: [number, number, number, number][] = [
      [300, 320, 380, 420],
      [520, 250, 640, 460],
      [380, 420, 480, 500],
      [430, 100, 520, 260],
    ];
    expect(cutClearOf(pill, others, photo, 1)).toEqual({ x: 380, y: 260, width: 140, height: 160 });
  });

  it('keeps the whole pill where boxes overlap', () => {
    expect(cutClearOf(pill, [[480, 380, 600, 500]], photo, 1)).toEqual({ x: 300, y: 200, width: 200, height: 300 });
  });
});

it('boxes and outlines follow the size of the photo', () => {
  const [small, large] = [
    { width: 100, height: 50 },
    { width: 1000, height: 500 },
  ];
  expect(rescaled([1, 2, 3, 4], small, large)).toEqual([10, 20, 30, 40]);
  expect(rescaledPolygon([[1, 2]], small, large)).toEqual([[10, 20]]);
});
