import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { BACK, FRONT, take } from './helpers';

test.skip(!process.env.SCREENSHOTS, 'SCREENSHOTS=1 npm run e2e -- screenshots draws the pictures of the README anew');

for (const [language, identify] of [
  ['en', 'Identify'],
  ['ko', '찾기'],
] as const) {
  test.describe(language, () => {
    test.use({ locale: language, deviceScaleFactor: 2, viewport: { width: 400, height: 860 } });

    test(`the page answers in ${language}`, async ({ page }, { project }) => {
      test.skip(project.name !== 'phone');
      await page.goto('/');
      await take(page, FRONT, 0);
      await take(page, BACK, 1);
      await page.screenshot(picture(`page-photos-${language}.jpg`));
      await page.getByRole('button', { name: identify, exact: true }).click();
      await expect(page.locator('.decision')).toBeVisible();
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot(picture(`page-decision-${language}.jpg`));
      const first = page.locator('.card').first();
      await first.scrollIntoViewIfNeeded();
      await expect.poll(() => first.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(440);
      await first.evaluate((card) => scrollTo(0, card.getBoundingClientRect().top + scrollY - 12));
      await page.screenshot(picture(`page-candidate-${language}.jpg`));
    });
  });
}

function picture(name: string) {
  const path = fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
  return { path, type: 'jpeg', quality: 82 } as const;
}
