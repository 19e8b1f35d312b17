/** What the service answers: the models of `pipeline/schemas.py`, field by field. */

export type Box = [x1: number, y1: number, x2: number, y2: number];
export type Decision = 'identified' | 'candidates' | 'unidentified';
export type Reason = 'no_pill' | 'several_pills' | 'too_blurry' | 'too_dark' | 'too_small' | 'not_in_catalog';
export type SideName = 'front' | 'back';

export const COLORS = [
  'white',
  'yellow',
  'orange',
  'pink',
  'red',
  'brown',
  'light green',
  'green',
  'teal',
  'blue',
  'navy',
  'magenta',
  'purple',
  'gray',
  'black',
  'transparent',
] as const;
export const SHAPES = [
  'round',
  'oval',
  'oblong',
  'semicircle',
  'triangle',
  'square',
  'diamond',
  'pentagon',
  'hexagon',
  'octagon',
  'other',
] as const;
export const FORMS = ['tablet', 'hard capsule', 'soft capsule'] as const;

export type Evidence = Record<'visual' | 'imprint' | 'color' | 'shape' | 'form', number | null>;

/** What a candidate and a catalogue item have in common, for showing it. */
export interface Look {
  item_id: string;
  name: string;
  imprint_front: string | null;
  imprint_back: string | null;
  shape: string | null;
  colors: string[];
  form: string | null;
}

export interface Candidate extends Look {
  rank: number;
  catalog: string;
  manufacturer: string | null;
  score: number;
  evidence: Evidence;
  same_appearance: string[];
  image_url: string | null;
  drawing_url: string;
}

export interface NamedProbability {
  name: string;
  probability: number;
}

export interface Side {
  side: SideName;
  pill: { box: Box; score: number } | null;
  imprint: { text: string; confidence: number } | null;
  colors: NamedProbability[];
  shape: NamedProbability | null;
  form: NamedProbability | null;
  quality: { sharpness: number; exposure: number; issues: string[] } | null;
}

export interface Identification {
  decision: Decision;
  reason: Reason | null;
  candidates: Candidate[];
  sides: Side[];
  missing: string[];
  versions: { bundle: string; catalogs: Record<string, string> };
}

export interface DetectedPill {
  box: Box;
  score: number;
  polygon: [number, number][];
}

export interface DetectionResult {
  pills: DetectedPill[];
  image: { width: number; height: number };
}

export interface SearchResult {
  candidates: Candidate[];
  versions: { catalogs: Record<string, string> };
}

export interface Item extends Look {
  manufacturer: string | null;
  ingredient: string | null;
  score_line: string | null;
  length_mm: number | null;
  width_mm: number | null;
  source: string;
  catalog_date: string;
}

export interface Hints {
  imprint: string;
  shape: string;
  color: string;
}

export interface Description extends Hints {
  form: string;
  name: string;
  catalogs: string;
}
