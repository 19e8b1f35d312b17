/** Photos in the browser: decoded once, cut and made smaller before they travel. Nothing is stored. */

import { type Rect, type Size, scaledTo } from './geometry';
import { inTime, LONG_SIDES } from './pace';

/** Long side of what is sent to find pills only. */
const GLANCE_LONG_SIDE = 800;
/** Long side kept in memory, px: enough to cut one pill out of many. */
const KEPT_LONG_SIDE = 3600;
const JPEG_QUALITY = 0.88;

export interface Photo extends Size {
  canvas: HTMLCanvasElement;
}

/** The file is no picture that this browser can open. */
export class NotAPhoto extends Error {}

/** Decodes a file, upright. Throws `NotAPhoto`. */
export async function openPhoto(file: Blob): Promise<Photo> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new NotAPhoto();
  }
  const size = scaledTo(bitmap, KEPT_LONG_SIDE);
  const canvas = drawn(bitmap, { x: 0, y: 0, width: bitmap.width, height: bitmap.height }, size);
  bitmap.close();
  return { ...size, canvas };
}

/** A small copy, to find the pills in it. */
export function glance(photo: Photo): Promise<Blob> {
  return jpeg(photo, { x: 0, y: 0, ...sizeOf(photo) }, GLANCE_LONG_SIDE);
}

/** What is sent to be identified: photos, or the part of each around one pill, as large as the network takes them. */
export async function toSend(shots: { photo: Photo; part: Rect | null }[]): Promise<Blob[]> {
  let files: Blob[] = [];
  for (const longSide of LONG_SIDES) {
    files = await Promise.all(
      shots.map(({ photo, part }) => jpeg(photo, part ?? { x: 0, y: 0, ...sizeOf(photo) }, longSide)),
    );
    if (inTime(files.reduce((bytes, file) => bytes + file.size, 0))) break;
  }
  return files;
}

/** Draws a part of a photo on a canvas of the page. */
export function show(photo: Photo, part: Rect, target: HTMLCanvasElement, longSide: number): void {
  const size = scaledTo(part, longSide);
  target.width = size.width;
  target.height = size.height;
  context(target).drawImage(photo.canvas, part.x, part.y, part.width, part.height, 0, 0, size.width, size.height);
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

function jpeg(photo: Photo, part: Rect, longSide: number): Promise<Blob> {
  const canvas = drawn(photo.canvas, part, scaledTo(part, longSide));
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new NotAPhoto())), 'image/jpeg', JPEG_QUALITY);
  });
}

function drawn(source: CanvasImageSource, part: Rect, size: Size): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const pencil = context(canvas);
  pencil.fillStyle = '#fff'; // a transparent PNG would turn black as a JPEG
  pencil.fillRect(0, 0, size.width, size.height);
  pencil.imageSmoothingQuality = 'high';
  pencil.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, size.width, size.height);
  return canvas;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext('2d');
  if (!found) throw new NotAPhoto();
  return found;
}
