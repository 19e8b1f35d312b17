/** Letters twice as large, as set in the browser, in the narrowest window that WCAG asks for. */

import { expect, test } from '@playwright/test';
import { CHROMIUM } from '../playwright.config';
import { BACK, expectNoSideways, FRONT, GROUP, SKIP, take } from './helpers';

test.use({
  viewport: { width: 320, height: 640 },
  launchOptions: { ...CHROMIUM, args: [...CHROMIUM.args, '--blink-settings=defaultFontSize=32'] },
});

for (const locale of ['en-US', 'ko-KR']) {
  test.describe(locale, () => {
    test.use({ locale });

    test('nothing is cut off', async ({ page }) => {
      await page.goto('/');
      const letters = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      expect(await page.evaluate(letters)).toBe(36);
      await expectNoSideways(page);
      await take(page, FRONT, 0);
      await expectNoSideways(page);
      await take(page, BACK, 1);
      await expectNoSideways(page);
      await page.locator('.go .button').click();
      await expect(page.locator('.decision')).toBeVisible();
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      await expect(page.locator('.card .facts').first()).toBeVisible();
      await expect(page.getByRole('alert')).toHaveCount(0);
      await expectNoSideways(page);
      for (const name of ['describe', 'browse']) {
        await page.locator(`nav a[href="#${name}"]`).click();
        await expect(page.locator('main form')).toBeVisible();
        if (name === 'browse') await expect(page.locator('.card:visible').first()).toBeVisible();
        await expectNoSideways(page);
      }
    });
  });
}

test('a pill among many can still be tapped, and the step after it be seen', async ({ page }) => {
  await page.goto('/');
  await take(page, GROUP, 0);
  await page
    .getByRole('button', { name: /^Choose pill/ })
    .first()
    .click();
  await expectNoSideways(page);
  await expect(page.getByRole('button', { name: SKIP })).toBeVisible();
});
