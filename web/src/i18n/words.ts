/** Facts of a catalogue in the reader's words. */

import { imprints, type Trait } from '../compare';
import type { Look } from '../schema';
import type { Messages } from './en';

/** "2018-06-07" as the language writes a date; anything else as it is. */
export function dateInWords(date: string, language: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { dateStyle: 'long', timeZone: 'UTC' }).format(
    day,
  );
}

export function imprintInWords(look: Look, t: Messages): string {
  return traitInWords('imprint', imprints(look), t);
}

export function lookInWords(look: Look, t: Messages): string {
  const words = [
    look.colors.map((color) => t.color[color] ?? color).join(' + '),
    look.shape && (t.shape[look.shape] ?? look.shape),
    look.form && (t.form[look.form] ?? look.form),
  ];
  return words.filter(Boolean).join(', ') || t.card.unknown;
}

/** The values of one trait; null = the catalogue does not say. */
export function traitInWords(trait: Trait, values: string[] | null, t: Messages): string {
  if (values === null) return t.card.unknown;
  if (trait === 'imprint') return values.map((text) => text || t.card.blank).join(' / ');
  if (trait === 'size') return t.compare.mm(values.join(' × '));
  const words = { shape: t.shape, colors: t.color, form: t.form, score_line: t.scoreLine }[trait];
  return values.map((value) => words[value] ?? value).join(', ');
}
