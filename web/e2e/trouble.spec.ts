import { expect, test } from '@playwright/test';
import { answer, candidate, expectAccessible, FRONT, recordForms, SKIP, take } from './helpers';

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
  await expect(page.locator('.decision')).toContainText('A photo is never proof');
  await expect(page.locator('.decision')).toContainText('the comparison of pictures');
  await expect(page.locator('.card').first()).toContainText('very likely (99 of 100)');
  await expect(page.locator('.compare')).toContainText('TEVA / 928');
  await expectAccessible(page);
});

test('candidates of which none is likely are not offered as the pill', async ({ page }) => {
  const scores = [0.2, 0.15, 0.1];
  const candidates = scores.map((score, i) => candidate({ rank: i + 1, item_id: `us-nih:${i}`, score }));
  await page.route('**/v1/identify', (route) =>
    route.fulfill({ json: answer({ decision: 'candidates', candidates }) }),
  );
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByRole('heading', { name: 'It is probably none of these.' })).toBeFocused();
  await expect(page.getByText('It could be one of these')).toHaveCount(0);
  await expect(page.locator('.card')).toHaveCount(3);
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
  await page.unroute('**/v1/detect');
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
});

test('a slow network shows how far the photo is, and can be cancelled', async ({ page }) => {
  await page.goto('/');
  await take(page, FRONT, 0);
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  const slow = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 6_000 };
  await line.send('Network.emulateNetworkConditions', slow);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.getByText(/Sending your photos: [1-9]\d?%/)).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: SKIP })).toBeVisible();
});

test('on a slow network smaller photos go out, and the answer still comes', async ({ page }) => {
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  const sent = await recordForms(page);
  await page.goto('/');
  const sizeOfQuestion = async () => {
    await sent();
    await page.getByRole('button', { name: SKIP }).click();
    await expect(page.locator('.decision')).toBeVisible();
    return (await sent()).find(({ field }) => field === 'front: image/jpeg')?.size ?? Number.NaN;
  };
  await take(page, FRONT, 0);
  const usual = await sizeOfQuestion();
  await page.getByRole('button', { name: 'Another pill' }).click();
  const slow = { offline: false, latency: 200, downloadThroughput: 50_000, uploadThroughput: 12_000 };
  await line.send('Network.emulateNetworkConditions', slow);
  await take(page, FRONT, 0);
  const careful = await sizeOfQuestion();
  console.log(`photo of the question: ${usual} bytes, on a slow network ${careful}`);
  expect(careful).toBeLessThan(usual);
});

test.describe('with the service worker', () => {
  test.use({ serviceWorkers: 'allow' });

  test('after one visit the page opens without a network, and says what is missing', async ({ page, context }) => {
    await page.goto('/');
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await context.setOffline(true);
    await page.reload();
    await page.getByTestId('file').setInputFiles(FRONT);
    await expect(page.getByText('could not be looked for right now')).toBeVisible();
    await page.getByRole('button', { name: SKIP }).click();
    await expect(page.getByRole('alert')).toContainText('No connection to the service');
  });
});
