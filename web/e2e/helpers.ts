import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import type { Candidate, Identification } from '../src/schema';

/** Photos drawn by our own renderer: TEVA / 576, a round blue tablet, and five pills on a cloth. */
export const FRONT = example('front.jpg');
export const BACK = example('back.jpg');
export const GROUP = example('group.jpg');

/** The way on with one photo. */
export const SKIP = 'Identify with one side only';

function example(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
}

/** Gives the page a photo and waits until the service has looked at it. */
export async function take(page: Page, file: string, side: number): Promise<void> {
  await page.getByTestId('file').setInputFiles(file);
  await expect(page.getByTestId('outline').nth(side)).toBeVisible();
  await expect(page.locator('.slot [role=status]').nth(side)).not.toHaveText(/Looking|찾는 중/);
}

/** One of the photos changed as a poor photographer would: darker, or taken from far away. */
export async function worse(
  page: Page,
  file: string,
  { brightness = 1, width = 0 }: { brightness?: number; width?: number },
): Promise<Buffer> {
  const data = readFileSync(file).toString('base64');
  const changed = await page.evaluate(
    async ({ data, brightness, width }) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const photo = await createImageBitmap(new Blob([bytes]));
      const canvas = document.createElement('canvas');
      canvas.width = width || photo.width;
      canvas.height = Math.round((canvas.width * photo.height) / photo.width);
      const pencil = canvas.getContext('2d') as CanvasRenderingContext2D;
      pencil.filter = `brightness(${brightness})`;
      pencil.imageSmoothingQuality = 'high';
      pencil.drawImage(photo, 0, 0, canvas.width, canvas.height);
      return canvas.toDataURL('image/jpeg', 0.95).split(',')[1] ?? '';
    },
    { data, brightness, width },
  );
  return Buffer.from(changed, 'base64');
}

interface Drawing {
  pill: string;
  table: string;
  letters?: string;
  /** px. */
  blur?: number;
}

/** A photo of a round tablet, plainer than our renderer's, for what that one does not do: bad focus, odd letters. */
export async function drawn(page: Page, drawing: Drawing): Promise<Buffer> {
  const data = await page.evaluate(({ pill, table, letters = '', blur = 0 }) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1000, 750];
    const pencil = canvas.getContext('2d') as CanvasRenderingContext2D;
    pencil.fillStyle = table;
    pencil.fillRect(0, 0, canvas.width, canvas.height);
    pencil.filter = `blur(${blur}px)`;
    pencil.fillStyle = pill;
    pencil.arc(500, 375, 170, 0, 2 * Math.PI);
    pencil.fill();
    pencil.fillStyle = '#fafafa';
    pencil.font = 'bold 64px sans-serif';
    pencil.textAlign = 'center';
    pencil.fillText(letters, 500, 398);
    return canvas.toDataURL('image/jpeg', 0.95).split(',')[1] ?? '';
  }, drawing);
  return Buffer.from(data, 'base64');
}

interface SentField {
  /** Name and value of a text, name and type of a file. */
  field: string;
  /** Of a file, bytes. */
  size: number;
  /** Of a photo, px. */
  longSide: number;
}

/** Call before the page opens: Chromium does not tell a test what is in a form with files. Returns what was sent since. */
export async function recordForms(page: Page): Promise<() => Promise<SentField[]>> {
  await page.addInitScript(() => {
    const sent: SentField[] = [];
    const append = FormData.prototype.append as (name: string, value: string | Blob, file?: string) => void;
    FormData.prototype.append = function (this: FormData, name: string, value: string | Blob, file?: string) {
      if (typeof value === 'string') sent.push({ field: `${name}=${value}`, size: 0, longSide: 0 });
      else {
        const file = { field: `${name}: ${value.type}`, size: value.size, longSide: Number.NaN };
        sent.push(file);
        void createImageBitmap(value).then(({ width, height }) => {
          file.longSide = Math.max(width, height);
        });
      }
      if (file === undefined) append.call(this, name, value);
      else append.call(this, name, value, file);
    } as typeof FormData.prototype.append;
    Object.assign(window, { sent });
  });
  return () => page.evaluate(() => (window as never as { sent: SentField[] }).sent.splice(0));
}

/** An answer as the service would give it, for what no photo brings about reliably. */
export function answer(changes: Partial<Identification>): Identification {
  return {
    decision: 'unidentified',
    reason: null,
    candidates: [],
    sides: [],
    missing: [],
    versions: { bundle: '0', catalogs: {} },
    ...changes,
  };
}

export function candidate(changes: Partial<Candidate>): Candidate {
  return {
    rank: 1,
    item_id: 'us-nih:93-576',
    catalog: 'us-nih',
    name: 'lovastatin 20 MG',
    manufacturer: null,
    score: 0.97,
    evidence: { visual: 0.9, imprint: 1, color: 0.8, shape: 1, form: null },
    imprint_front: 'TEVA',
    imprint_back: '576',
    shape: 'round',
    colors: ['blue'],
    form: 'tablet',
    same_appearance: [],
    image_url: null,
    drawing_url: '/v1/items/us-nih:93-576/drawing.svg',
    ...changes,
  };
}

/** Nothing serious for a screen reader, nor in the contrast of light and dark. Of many cards alike, two are looked at. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const builder = new AxeBuilder({ page }).exclude('.card:nth-child(n + 3)');
    if (colorScheme === 'light') {
      builder.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']);
    } else {
      builder.withRules(['color-contrast']); // all that the dark changes
    }
    const { violations } = await builder.analyze();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(grave.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual(
      [],
    );
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Nothing to scroll to sideways. */
export async function expectNoSideways(page: Page): Promise<void> {
  const content = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(content).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0); // a phone's innerWidth grows with what is too wide
}
