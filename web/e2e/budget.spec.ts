import { expect, test } from '@playwright/test';

/** Lighthouse's phone: "slow 4G" with 150 ms there and back and 1.6 Mbit/s, and a processor a quarter as fast. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };
const SLOWER = 4;
const LARGEST_BYTES = 250_000;
const FIRST_PAINT_MS = 1_500;

test('the page is small, and painted soon on a phone network', async ({ page }) => {
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  await line.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  line.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto('/', { waitUntil: 'networkidle' }); // warms up the server and the browser, and counts
  const first = bytes;
  expect(first).toBeGreaterThan(10_000);
  expect(first).toBeLessThan(LARGEST_BYTES);

  await line.send('Network.emulateNetworkConditions', SLOW_4G);
  await line.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  const paints: number[] = [];
  for (let visit = 0; visit < 5; visit += 1) {
    await page.reload();
    const paint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    await expect.poll(() => page.evaluate(paint)).toBeDefined();
    paints.push((await page.evaluate(paint)) ?? Number.NaN);
  }
  console.log(`page: ${first} bytes, first paints ${paints.map(Math.round).join(', ')} ms`);
  expect(Math.min(...paints)).toBeLessThan(FIRST_PAINT_MS); // a busy machine may delay a visit, not every one
});

test('the page can be installed', async ({ page, request }) => {
  await page.goto('/');
  const address = await page.locator('link[rel=manifest]').getAttribute('href');
  const manifest = await (await request.get(address ?? '')).json();
  expect(manifest).toMatchObject({ display: 'standalone', start_url: './' });
  for (const icon of manifest.icons) expect((await request.get(icon.src)).status()).toBe(200);
  const line = await page.context().newCDPSession(page);
  const { installabilityErrors } = await line.send('Page.getInstallabilityErrors');
  // the browser's own word; that a test's window keeps nothing is the one thing it may hold against it
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
});
