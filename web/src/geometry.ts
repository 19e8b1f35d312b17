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

/**
 * As `cutAround`, but ending where another pill begins: the service refuses a photo that shows several. Each neighbour
 * is cut off on the side where it is farthest away; where boxes overlap, a corner of it stays in.
 */
export function cutClearOf(box: Box, others: Box[], photo: Size, margin: number): Rect {
  const [x1, y1, x2, y2] = box;
  const wide = cutAround(box, photo, margin);
  let [left, top, right, bottom] = [wide.x, wide.y, wide.x + wide.width, wide.y + wide.height];
  for (const [ox1, oy1, ox2, oy2] of others) {
    if (ox2 <= left || ox1 >= right || oy2 <= top || oy1 >= bottom) continue;
    const gaps = { left: x1 - ox2, right: ox1 - x2, top: y1 - oy2, bottom: oy1 - y2 };
    const widest = Math.max(...Object.values(gaps));
    if (widest === gaps.left) left = Math.max(left, Math.min(ox2, x1));
    else if (widest === gaps.right) right = Math.min(right, Math.max(ox1, x2));
    else if (widest === gaps.top) top = Math.max(top, Math.min(oy2, y1));
    else bottom = Math.min(bottom, Math.max(oy1, y2));
  }
  const [x, y] = [Math.ceil(left), Math.ceil(top)];
  return { x, y, width: Math.floor(right) - x, height: Math.floor(bottom) - y };
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
