/** Why there is no answer: from the service itself where a photo brings it about for certain, and in words for all. */

import { expect, type Page, test } from '@playwright/test';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import type { Reason } from '../src/schema';
import { answer, BACK, candidate, drawn, expectAccessible, FRONT, GROUP, SKIP, take, worse } from './helpers';

async function takeBytes(page: Page, buffer: Buffer): Promise<void> {
  await page.getByTestId('file').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer });
}

async function expectReason(page: Page, reason: Reason): Promise<void> {
  await expect(page.getByRole('heading', { name: en.decision.unidentified })).toBeFocused();
  await expect(page.locator('.decision')).toContainText(en.reason[reason]);
  await expect(page.getByText(en.pharmacist.title)).toBeInViewport();
  await expect(page.locator('.compare')).toHaveCount(0);
}

test('too dark, and the way out: the photo again', async ({ page }) => {
  await page.goto('/');
  await takeBytes(page, await worse(page, FRONT, { brightness: 0.12 }));
  await page.getByRole('button', { name: SKIP }).click();
  await expectReason(page, 'too_dark');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Photograph again: First side' }).click();
  await expect(page.getByRole('heading', { name: en.pick.frontTitle })).toBeFocused();
  await expect(page.locator('.slot')).toHaveCount(0);
});

test('too small: 13 pixels of pill', async ({ page }) => {
  await page.goto('/');
  await takeBytes(page, await worse(page, BACK, { width: 40 }));
  await page.getByRole('button', { name: SKIP }).click();
  await expectReason(page, 'too_small');
});

test('too blurry', async ({ page }) => {
  const said = page.locator('.decision');
  for (const blur of [16, 14, 12, 18, 20]) {
    // from where a rim is too wide to where no pill is made out any more
    await page.goto('/');
    await takeBytes(page, await drawn(page, { pill: '#f0eee6', table: '#28231e', blur }));
    await expect(page.locator('.slot [role=status]')).toHaveText(/found/);
    if (await page.getByText(en.found.none).isVisible()) continue;
    await page.getByRole('button', { name: SKIP }).click();
    await expect(said).toBeVisible();
    if ((await said.textContent())?.includes(en.reason.too_blurry)) break;
  }
  await expectReason(page, 'too_blurry');
  await expect(page.getByRole('button', { name: 'Photograph again: First side' })).toBeVisible();
});

test('not in the catalogues: letters that no maker uses, to be put right at once', async ({ page }) => {
  await page.goto('/');
  for (const [side, letters] of ['ZZTOP 9', '8888 WW'].entries()) {
    await takeBytes(page, await drawn(page, { pill: '#6e32a0', table: '#e1d7c8', letters }));
    await expect(page.locator('.slot [role=status]').nth(side)).toHaveText(en.found.one);
  }
  await page.getByRole('button', { name: en.pick.identify, exact: true }).click();
  await expectReason(page, 'not_in_catalog');
  await expect(page.getByLabel(en.field.imprint)).toHaveValue(/ZZTOP ?9/);
  await expect(page.getByRole('button', { name: /Photograph again/ })).toHaveCount(0); // the photos were good
});

test('no pill: help at once, and an answer by choice only', async ({ page }) => {
  await page.goto('/');
  await takeBytes(page, await worse(page, FRONT, { brightness: 0 }));
  await expect(page.getByText('No pill found in this photo.')).toBeVisible();
  await expect(page.locator('.slot')).toContainText(en.reason.no_pill);
  await expect(page.getByRole('button', { name: SKIP })).toHaveCount(0);
  await expectAccessible(page);
  await page.getByRole('button', { name: en.found.anyway }).click();
  await page.getByRole('button', { name: SKIP }).click();
  await expectReason(page, 'no_pill');
});

test('several pills, where they could not be looked for first: then they are', async ({ page }) => {
  await page.route('**/v1/detect', (route) => route.abort('connectionfailed'));
  await page.goto('/');
  await page.getByTestId('file').setInputFiles(GROUP);
  await expect(page.getByText('could not be looked for right now')).toBeVisible();
  await page.getByRole('button', { name: SKIP }).click();
  await expectReason(page, 'several_pills');
  await page.unroute('**/v1/detect');
  await page.getByRole('button', { name: 'Choose the pill on the photo' }).click();
  await expect(page.getByText(/pills found. Tap the one you mean/)).toBeVisible();
});

test('nothing that could be said of the back photo is said of the front one', async ({ page }) => {
  const side = { imprint: null, colors: [], shape: null, form: null };
  const good = { sharpness: 1, exposure: 1, issues: [] };
  await page.route('**/v1/identify', (route) =>
    route.fulfill({
      json: answer({
        reason: 'too_blurry',
        sides: [
          { ...side, side: 'front', pill: { box: [0, 0, 9, 9], score: 0.9 }, quality: good },
          {
            ...side,
            side: 'back',
            pill: { box: [0, 0, 9, 9], score: 0.9 },
            quality: { ...good, issues: ['too_blurry'] },
          },
        ],
      }),
    }),
  );
  await page.goto('/');
  await take(page, FRONT, 0);
  await take(page, FRONT, 1);
  await page.getByRole('button', { name: 'Identify', exact: true }).click();
  await expect(page.locator('.decision')).toContainText('about the photo “Other side”');
  await page.getByRole('button', { name: 'Photograph again: Other side' }).click();
  await expect(page.locator('.slot')).toHaveCount(1);
  await expect(page.getByRole('heading', { name: en.pick.backTitle })).toBeVisible();
});

for (const [locale, words] of [
  ['en-US', en],
  ['ko-KR', ko],
] as const) {
  test.describe(locale, () => {
    test.use({ locale });

    test('every reason has its words', async ({ page }) => {
      let reason: Reason = 'no_pill';
      await page.route('**/v1/identify', (route) =>
        route.fulfill({ json: answer({ reason, candidates: [candidate({ score: 0.05 })] }) }),
      );
      await page.goto('/');
      await take(page, FRONT, 0);
      for (reason of Object.keys(words.reason) as Reason[]) {
        await page.getByRole('button', { name: words.pick.skipBack }).click();
        await expect(page.getByRole('heading', { name: words.decision.unidentified })).toBeVisible();
        await expect(page.locator('.decision')).toContainText(words.reason[reason]);
        await expect(page.getByText(words.nearest)).toBeVisible();
        await page.getByRole('button', { name: words.next.photos }).click();
      }
    });
  });
}
