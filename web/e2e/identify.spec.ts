import { expect, test } from '@playwright/test';
import { BACK, expectAccessible, expectNoSideways, FRONT, GROUP, take } from './helpers';

const WORDS = {
  'en-US': {
    identify: 'Identify',
    pharmacist: 'Ask a pharmacist before you take it.',
    other: '한국어',
    switched: '사진',
  },
  'ko-KR': {
    identify: '찾기',
    pharmacist: '복용하기 전에 반드시 약사에게 확인하세요.',
    other: 'English',
    switched: 'Photo',
  },
};

for (const [locale, words] of Object.entries(WORDS)) {
  test.describe(locale, () => {
    test.use({ locale });

    test('the whole way: two photos, what was found, the answer', async ({ page, baseURL }) => {
      const elsewhere: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== baseURL) elsewhere.push(request.url());
      });
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto('/');
      await expect(page.locator('html')).toHaveAttribute('lang', locale.slice(0, 2));
      await expectAccessible(page);

      await take(page, FRONT, 0);
      await expect(page.locator('.outline.chosen')).toHaveCount(1);
      await take(page, BACK, 1);
      await expectAccessible(page);
      await page.getByRole('button', { name: words.identify, exact: true }).click();

      const decision = page.locator('.decision');
      await expect(decision).toBeVisible();
      await expect(decision.getByRole('heading')).toBeFocused();
      await expect(decision.getByText(words.pharmacist)).toBeInViewport();
      const first = page.locator('.card').first();
      await expect(first).toContainText('lovastatin 20');
      await expect(first.locator('.cutout')).toHaveCount(2);
      await first.locator('.drawing').scrollIntoViewIfNeeded();
      await expect
        .poll(() => first.locator('.drawing').evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBe(440);
      await expect(page.locator('.compare')).toBeVisible();
      await expectAccessible(page);
      await expectNoSideways(page);

      await page.getByRole('button', { name: words.other }).click();
      await expect(page.getByRole('button', { name: words.switched, exact: true })).toBeVisible();
      await expect(first).toContainText('lovastatin 20');
      expect(elsewhere).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
}

test('one side only, and a corrected reading with the same photo', async ({ page }) => {
  await page.addInitScript(() => {
    // Chromium does not tell a test what is in a form with files
    const sent: string[] = [];
    const append = FormData.prototype.append as (name: string, value: string | Blob, file?: string) => void;
    FormData.prototype.append = function (this: FormData, name: string, value: string | Blob, file?: string) {
      sent.push(typeof value === 'string' ? `${name}=${value}` : `${name}: ${value.type}`);
      if (file === undefined) append.call(this, name, value);
      else append.call(this, name, value, file);
    } as typeof FormData.prototype.append;
    Object.assign(window, { sent });
  });
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: 'Only one side: identify now' }).click();
  await expect(page.locator('.decision')).toBeVisible();
  await page.getByLabel('Letters and numbers on the pill').first().fill('TEVA 576');
  await page.getByRole('radio', { name: 'blue' }).check({ force: true });
  await page.evaluate(() => (window as never as { sent: string[] }).sent.splice(0));
  await page.getByRole('button', { name: 'Search again' }).click();
  await expect(page.locator('.decision')).toBeVisible();
  const sent = await page.evaluate(() => (window as never as { sent: string[] }).sent);
  expect(sent).toEqual(['front: image/jpeg', 'imprint=TEVA 576', 'color=blue']);
  await expect(page.locator('.card').first()).toContainText('lovastatin 20');
  await expect(page.getByLabel('Letters and numbers on the pill').first()).toHaveValue('TEVA 576');
});

test('many pills in one photo: tap one', async ({ page }) => {
  await page.goto('/');
  await take(page, GROUP, 0);
  const spots = page.getByRole('button', { name: /^Choose pill/ });
  expect(await spots.count()).toBeGreaterThanOrEqual(4);
  await expect(page.getByText(/pills found. Tap the one you mean/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Only one side: identify now' })).toHaveCount(0);
  await expectAccessible(page);
  await spots.first().click();
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
  await page.getByRole('button', { name: 'Only one side: identify now' }).click();
  await expect(page.locator('.decision')).toBeVisible();
});

test('by keyboard alone', async ({ page }) => {
  await page.goto('/');
  await page.keyboard.press('Tab');
  await expect(page.getByText('Skip to content')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  await page.keyboard.press('Tab');
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(FRONT);
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
});

test('dropped and pasted photos', async ({ page }) => {
  await page.goto('/');
  const bytes = Array.from((await import('node:fs')).readFileSync(FRONT));
  const files = await page.evaluateHandle((data) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(data)], 'photo.jpg', { type: 'image/jpeg' }));
    return transfer;
  }, bytes);
  await page.locator('.picker').dispatchEvent('drop', { dataTransfer: files });
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
  await page.evaluate((clipboardData) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData })), files);
  await expect(page.locator('.outline.chosen')).toHaveCount(2);
});

test('a file that is no photo', async ({ page }) => {
  await page.goto('/');
  await page
    .getByTestId('file')
    .setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no photo') });
  await expect(page.getByRole('alert')).toContainText('cannot be opened as a photo');
});
