/** `make screenshots`: the pictures of the README, of the page answering a photo that our own renderer drew. */

import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import { BACK, FRONT, take } from './helpers';

const LARGEST_BYTES = 150_000;

for (const [locale, words] of [
  ['en', en],
  ['ko', ko],
] as const) {
  test.describe(locale, () => {
    test.use({ locale, deviceScaleFactor: 2, viewport: { width: 390, height: 844 } });

    test('the page, photos to answer', { tag: '@picture' }, async ({ page }) => {
      await page.goto('/');
      await take(page, FRONT, 0);
      await take(page, BACK, 1);
      await page.evaluate(() => scrollTo(0, 0));
      await save(page, `page-photos-${locale}`);
      await page.getByRole('button', { name: words.pick.identify, exact: true }).click();
      await expect(page.locator('.decision')).toBeVisible();
      await save(page, `page-answer-${locale}`);
      await scrolledTo(page.locator('.card').first());
      await save(page, `page-candidate-${locale}`);
    });
  });
}

/** Right under the line that stays in sight, with its drawing painted. */
async function scrolledTo(card: Locator): Promise<void> {
  await card.scrollIntoViewIfNeeded();
  const width = () => card.locator('.drawing').evaluate((image: HTMLImageElement) => image.naturalWidth);
  await expect.poll(width).toBeGreaterThan(0);
  await card.evaluate((element) => {
    const line = document.querySelector('.answer .pharmacist-line')?.getBoundingClientRect().height ?? 0;
    scrollTo(0, element.getBoundingClientRect().top + scrollY - line - 12);
  });
}

/** As WebP, a third of the size of a PNG: encoded in an empty page, because ours lets no picture in. */
async function save(page: Page, name: string): Promise<void> {
  const png = (await page.screenshot()).toString('base64');
  const desk = await page.context().newPage();
  const webp = await desk.evaluate(async (data) => {
    const picture = await (await fetch(`data:image/png;base64,${data}`)).blob();
    const bitmap = await createImageBitmap(picture);
    const canvas = document.createElement('canvas');
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    return canvas.toDataURL('image/webp', 0.86).split(',')[1] ?? '';
  }, png);
  await desk.close();
  const path = fileURLToPath(new URL(`../../docs/${name}.webp`, import.meta.url));
  writeFileSync(path, Buffer.from(webp, 'base64'));
  expect(statSync(path).size).toBeLessThan(LARGEST_BYTES);
}
