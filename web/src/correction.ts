/** What the machine read, as a person may put it right. */

import type { Hints, Identification, NamedProbability } from './schema';

/** What was read on both sides together: the letters one after the other, the likeliest shape and colour. */
export function reading(answer: Identification): Hints {
  const letters = answer.sides.flatMap((side) => (side.imprint?.text ? [side.imprint.text] : []));
  return {
    imprint: letters.join(' '),
    shape: likeliest(answer.sides.flatMap((side) => (side.shape ? [side.shape] : []))),
    color: likeliest(answer.sides.flatMap((side) => side.colors)),
  };
}

/** What to tell the service: only what a person put differently, now or before; its own reading is no hint. */
export function corrections(read: Hints, given: Hints, before: Hints): Hints {
  const changed = (field: keyof Hints) =>
    given[field].trim() !== read[field] || before[field] !== '' ? given[field].trim() : '';
  return { imprint: changed('imprint'), shape: changed('shape'), color: changed('color') };
}

function likeliest(named: NamedProbability[]): string {
  const [best] = [...named].sort((a, b) => b.probability - a.probability);
  return best?.name ?? '';
}
