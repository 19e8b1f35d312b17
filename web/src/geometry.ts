/** Boxes in pixels of a photo. */

import type { Box } from './schema';

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

/** The size a photo gets so that its long side is at most `longSide` px; small photos stay as they are. */
export function scaledTo(size: Size, longSide: number): Size {
  const share = Math.min(1, longSide / Math.max(size.width, size.height));
  return { width: Math.max(1, Math.round(size.width * share)), height: Math.max(1, Math.round(size.height * share)) };
}

/** A square cut around a box with `margin` times its long side free on each side, inside the photo. */
export function cutAround(box: Box, photo: Size, margin: number): Rect {
  const [x1, y1, x2, y2] = box;
  const side = Math.max(x2 - x1, y2 - y1) * (1 + 2 * margin);
  const width = Math.min(photo.width, side);
  const height = Math.min(photo.height, side);
  const x = Math.min(Math.max(0, (x1 + x2) / 2 - width / 2), photo.width - width);
  const y = Math.min(Math.max(0, (y1 + y2) / 2 - height / 2), photo.height - height);
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

/** The same box on the same photo at another size. */
export function rescaled(box: Box, from: Size, to: Size): Box {
  const sx = to.width / from.width;
  const sy = to.height / from.height;
  return [box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy];
}

export function rescaledPolygon(points: [number, number][], from: Size, to: Size): [number, number][] {
  return points.map(([x, y]) => [(x * to.width) / from.width, (y * to.height) / from.height]);
}
