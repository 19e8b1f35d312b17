/** A name of a catalogue in its own language, so that a screen reader says it right. */
export function Foreign({ text }: { text: string }) {
  return <span lang={languageOf(text)}>{text}</span>;
}

function languageOf(text: string): string {
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  return /\p{Script=Han}/u.test(text) ? 'zh-Hant' : 'en';
}
