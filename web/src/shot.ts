/** One photographed side on its way to the service: what was found on it and which pill is meant. */

import { cutAround, cutClearOf, type Rect, rescaled, rescaledPolygon, type Size } from './geometry';
import type { Box, DetectionResult } from './schema';

/** A pill found on a photo, in px of that photo. */
export interface FoundPill {
  box: Box;
  polygon: [number, number][];
}

export type Finding = { state: 'looking' } | { state: 'failed' } | { state: 'done'; pills: FoundPill[] };

export interface Shot {
  size: Size;
  finding: Finding;
  /** Which of the pills is meant; null while that is open. */
  chosen: number | null;
  /** The person goes on although no pill was found. */
  anyway: boolean;
}

export function newShot(size: Size): Shot {
  return { size, finding: { state: 'looking' }, chosen: null, anyway: false };
}

/** The shot with what the service found; a single pill is the one meant. */
export function withFound(shot: Shot, result: DetectionResult): Shot {
  const pills = result.pills.map((pill) => ({
    box: rescaled(pill.box, result.image, shot.size),
    polygon: rescaledPolygon(pill.polygon, result.image, shot.size),
  }));
  return { ...shot, finding: { state: 'done', pills }, chosen: pills.length === 1 ? 0 : null };
}

export function chosenPill(shot: Shot): FoundPill | null {
  if (shot.finding.state !== 'done' || shot.chosen === null) return null;
  return shot.finding.pills[shot.chosen] ?? null;
}

/** Whether the shot may be sent: one pill is meant, or the person wants to go on without. */
export function isReady(shot: Shot): boolean {
  return shot.anyway || shot.finding.state === 'failed' || chosenPill(shot) !== null;
}

/** The part of the photo to send: around the pill that is meant, with table to see it against; null = all of it. */
export function partToSend(shot: Shot): Rect | null {
  const pill = chosenPill(shot);
  if (!pill || shot.finding.state !== 'done') return null;
  const others = shot.finding.pills.filter((other) => other !== pill).map(({ box }) => box);
  return cutClearOf(pill.box, others, shot.size, 0.8);
}

/** The part of the photo to show beside the candidates. */
export function partToShow(shot: Shot): Rect {
  const pill = chosenPill(shot);
  return pill ? cutAround(pill.box, shot.size, 0.12) : { x: 0, y: 0, ...shot.size };
}
