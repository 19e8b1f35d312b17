import { expect, test } from '@playwright/test';
import type { Reason } from '../src/schema';
import { answer, candidate, expectAccessible, FRONT, take } from './helpers';

const SKIP = 'Only one side: identify now';

const REASONS: Record<Reason, RegExp> = {
  no_pill: /No pill was found/,
  several_pills: /more than one pill/,
  too_blurry: /blurred/,
  too_dark: /too dark, or too bright/,
  too_small: /too small/,
  not_in_catalog: /No pill in our catalogues looks like this/,
};

for (const [reason, words] of Object.entries(REASONS)) {
  test(`no answer, because: ${reason}`, async ({ page }) => {
    await page.route('**/v1/identify', (route) =>
      route.fulfill({ json: answer({ reason: reason as Reason, candidates: [candidate({ score: 0.05 })] }) }),
    );
    await page.goto('/');
    await take(page, FRONT, 0);
    await page.getByRole('button', { name: SKIP }).click();
    await expect(page.getByRole('heading', { name: 'This pill could not be identified.' })).toBeVisible();
    await expect(page.locator('.decision')).toContainText(words);
    await expect(page.getByText('do not rely on it')).toBeVisible();
    await expect(page.locator('.compare')).toHaveCount(0);
  });
}

test('an identified pill is still said to be checked', async ({ page }) => {
  const second = candidate({ item_id: 'us-nih:93-577', name: 'lovastatin 40 MG', imprint_back: '928', score: 0.02 });
  await page.route('**/v1/identify', (route) =>
    route.fulfill({
      json: answer({ decision: 'identified', candidates: [candidate({ score: 1 }), second], missing: ['visual'] }),
    }),
  );
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByRole('heading', { name: 'Most likely: lovastatin 20 MG' })).toBeVisible();
  await expect(page.locator('.decision')).toContainText('a photo is never proof');
  await expect(page.locator('.decision')).toContainText('the comparison of pictures');
  await expect(page.locator('.card').first()).toContainText('very likely (99 of 100)');
  await expect(page.locator('.compare')).toContainText('TEVA / 928');
  await expectAccessible(page);
});

test('no connection: said so, and tried again with the same photo', async ({ page }) => {
  await page.route('**/v1/identify', (route) => route.abort('connectionfailed'));
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByRole('alert')).toContainText('No connection to the service');
  await expectAccessible(page);
  await page.unroute('**/v1/identify');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.decision')).toBeVisible();
});

test('a busy service says when to come back', async ({ page }) => {
  await page.route('**/v1/identify', (route) =>
    route.fulfill({
      status: 429,
      headers: { 'Retry-After': '3' },
      json: { error: { code: 'too_busy', message: 'm', request_id: 'r42' } },
    }),
  );
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByRole('alert')).toContainText('busy. Please try again in 3 seconds.');
  await expect(page.getByRole('alert')).toContainText('Request r42');
});

test('a photo that cannot be looked over can still be sent', async ({ page }) => {
  await page.route('**/v1/detect', (route) => route.abort('connectionfailed'));
  await page.goto('/');
  await page.getByTestId('file').setInputFiles(FRONT);
  await expect(page.getByText('could not be looked for right now')).toBeVisible();
  await expect(page.getByRole('button', { name: SKIP })).toBeVisible();
});

test('a photo without a pill: help, and going on by choice only', async ({ page }) => {
  await page.route('**/v1/detect', (route) =>
    route.fulfill({ json: { pills: [], image: { width: 800, height: 600 } } }),
  );
  await page.goto('/');
  await page.getByTestId('file').setInputFiles(FRONT);
  await expect(page.getByText('No pill found in this photo.')).toBeVisible();
  await expect(page.getByRole('button', { name: SKIP })).toHaveCount(0);
  await page.getByRole('button', { name: 'Go on with this photo' }).click();
  await expect(page.getByRole('button', { name: SKIP })).toBeVisible();
  await page.getByRole('button', { name: 'Take another photo' }).click();
  await expect(page.getByRole('heading', { name: 'Photograph one side of the pill' })).toBeVisible();
});

test('a slow network shows how far the photo is, and can be cancelled', async ({ page }) => {
  await page.goto('/');
  await take(page, FRONT, 0);
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  const slow = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 6_000 };
  await line.send('Network.emulateNetworkConditions', slow);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByText(/Sending your photos: [1-9]\d? %/)).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: SKIP })).toBeVisible();
});
