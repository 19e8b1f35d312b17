/** What to look at to tell two pills apart, and how sure an answer may sound. */

import type { Candidate, Look } from './schema';

export type Trait = 'imprint' | 'shape' | 'colors' | 'form';

/** One thing that differs: what to see on the first and on the second pill; null where the catalogue is silent. */
export interface Difference {
  trait: Trait;
  first: string[] | null;
  second: string[] | null;
}

/** In what two pills differ, the surest to see first. Empty: by their rows they cannot be told apart. */
export function differences(first: Look, second: Look): Difference[] {
  const found: Difference[] = [];
  const add = (trait: Trait, a: string[] | null, b: string[] | null) => {
    if (key(a) !== key(b)) found.push({ trait, first: a, second: b });
  };
  add('imprint', imprints(first), imprints(second));
  add('shape', first.shape ? [first.shape] : null, second.shape ? [second.shape] : null);
  add('colors', first.colors.length ? first.colors : null, second.colors.length ? second.colors : null);
  add('form', first.form ? [first.form] : null, second.form ? [second.form] : null);
  return found;
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
