const PATHS: Record<string, string> = {
  round: 'M20 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18z',
  oval: 'M20 5c9 0 15 3 15 7s-6 7-15 7s-15-3-15-7s6-7 15-7z',
  oblong: 'M11 6h18a6 6 0 0 1 0 12H11a6 6 0 0 1 0-12z',
  semicircle: 'M5 18a15 14 0 0 1 30 0z',
  triangle: 'M20 3l11 18H9z',
  square: 'M11 3h18v18H11z',
  diamond: 'M20 3l13 9l-13 9L7 12z',
  pentagon: 'M20 3l10 7l-4 11H14l-4-11z',
  hexagon: 'M13 4h14l6 8l-6 8H13l-6-8z',
  octagon: 'M15 3h10l6 6v6l-6 6H15l-6-6V9z',
  other: 'M14 9a6 6 0 1 1 8 5c-2 1-2 2-2 4m0 2v2',
};

/** A shape of the vocabulary, drawn small. */
export function ShapeIcon({ shape }: { shape: string }) {
  return (
    <svg className={shape === 'other' ? 'shape-icon line' : 'shape-icon'} viewBox="0 0 40 24" aria-hidden="true">
      <path d={PATHS[shape]} />
    </svg>
  );
}
