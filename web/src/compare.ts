/** What to look at to tell two pills apart, and how sure an answer may sound. */

import type { Candidate, Item, Look } from './schema';

export type Trait = 'imprint' | 'shape' | 'colors' | 'form' | 'score_line' | 'size';

/** One thing that differs: what to see on the first and on the second pill; null where the catalogue is silent. */
export interface Difference {
  trait: Trait;
  first: string[] | null;
  second: string[] | null;
}

/** A look, with what only the whole catalogue row tells. */
export type FullLook = Look & Partial<Pick<Item, 'score_line' | 'length_mm' | 'width_mm'>>;

/** Two sizes closer than this cannot be told by eye, mm. */
const VISIBLE_MM = 0.5;

/** In what two pills differ, the surest to see first. Empty: by their rows they cannot be told apart. */
export function differences(first: FullLook, second: FullLook): Difference[] {
  const found: Difference[] = [];
  const add = (trait: Trait, a: string[] | null, b: string[] | null) => {
    if (key(a) !== key(b)) found.push({ trait, first: a, second: b });
  };
  add('imprint', imprints(first), imprints(second));
  add('shape', first.shape ? [first.shape] : null, second.shape ? [second.shape] : null);
  add('colors', first.colors.length ? first.colors : null, second.colors.length ? second.colors : null);
  add('form', first.form ? [first.form] : null, second.form ? [second.form] : null);
  // a score line or a size that only one row states is nothing to look for
  if (first.score_line && second.score_line) add('score_line', [first.score_line], [second.score_line]);
  const [a, b] = [sizeOf(first), sizeOf(second)];
  if (a && b && a.some((mm, i) => Math.abs(mm - (b[i] ?? 0)) >= VISIBLE_MM)) {
    found.push({ trait: 'size', first: a.map(String), second: b.map(String) });
  }
  return found;
}

/** Long and short side, mm; null where the row does not say. */
export function sizeOf({ length_mm, width_mm }: FullLook): number[] | null {
  return length_mm && width_mm ? [Math.max(length_mm, width_mm), Math.min(length_mm, width_mm)] : null;
}

/** Both sides' imprints that are known; "" is a side known to be blank. */
export function imprints(look: Look): string[] | null {
  const known = [look.imprint_front, look.imprint_back].filter((text): text is string => text !== null);
  return known.length ? known : null;
}

/** Which side is which may differ between catalogues, and so may spelling. */
function key(values: string[] | null): string {
  if (values === null) return '?';
  const tokens =
    values
      .join(' ')
      .toUpperCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...tokens, values.includes('') ? 'blank' : ''].sort().join('|');
}

export type Sureness = 'very_likely' | 'likely' | 'possible' | 'unlikely';

/** A calibrated score in words. None of them says "certain": a photo never is. */
export function sureness(score: number): Sureness {
  if (score >= 0.9) return 'very_likely';
  if (score >= 0.6) return 'likely';
  return score >= 0.2 ? 'possible' : 'unlikely';
}

/** The score as "x of 100", never 0 and never 100. */
export function outOf100(score: number): number {
  return Math.min(99, Math.max(1, Math.round(score * 100)));
}

/** The other candidate that has to be told from the first: the next one that does not look the same by itself. */
export function rival(candidates: Candidate[]): Candidate | null {
  const [first, ...others] = candidates;
  return first ? (others.find((other) => !first.same_appearance.includes(other.item_id)) ?? null) : null;
}

/** Whether the pill is more probably none of the candidates than one of them: no words may then suggest one. */
export function probablyNone(candidates: Pick<Candidate, 'score'>[]): boolean {
  return candidates.reduce((sum, { score }) => sum + score, 0) < 0.5;
}
