import { expect, test } from '@playwright/test';
import { BACK, expectAccessible, expectNoSideways, FRONT, GROUP, recordForms, SKIP, take, worse } from './helpers';

const WORDS = {
  'en-US': {
    identify: 'Identify',
    pharmacist: 'Verify with a pharmacist before you take it.',
    other: '한국어',
    otherTag: 'ko',
    switched: '사진',
  },
  'ko-KR': {
    identify: '찾기',
    pharmacist: '복용하기 전에 반드시 약사에게 확인하세요.',
    other: 'English',
    otherTag: 'en',
    switched: 'Photo',
  },
};

for (const [locale, words] of Object.entries(WORDS)) {
  test.describe(locale, () => {
    test.use({ locale });

    test('the whole way: two photos, what was found, the answer', { tag: '@every-screen' }, async ({
      page,
      baseURL,
    }) => {
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
      await expect(page.getByText(words.pharmacist)).toBeInViewport();
      await expect(page.locator('.card', { hasText: 'lovastatin 20' })).not.toHaveCount(0);
      const first = page.locator('.card').first();
      await expect(first.locator('.cutout')).toHaveCount(2);
      await expect(first.locator('.sure strong')).not.toBeEmpty();
      for (const fact of await first.locator('.facts dd').all()) await expect(fact).not.toBeEmpty();
      await expect(first.locator('.evidence svg')).not.toHaveCount(0);
      await first.locator('.drawing').scrollIntoViewIfNeeded();
      await expect
        .poll(() => first.locator('.drawing').evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBe(440);
      await page.locator('.compare').scrollIntoViewIfNeeded();
      await expect(page.getByText(words.pharmacist)).toBeInViewport();
      await expect(page.locator('.dates')).toContainText('2018');
      await expectAccessible(page);
      await expectNoSideways(page);

      await page.getByRole('button', { name: words.other }).click();
      await expect(page.getByRole('link', { name: words.switched, exact: true })).toBeVisible();
      await expect(first.locator('.drawing')).toHaveAttribute('src', new RegExp(`lang=${words.otherTag}$`));
      await expect(page.locator('.card', { hasText: 'lovastatin 20' })).not.toHaveCount(0);

      await page.goBack(); // the phone's back key: to the photos, which are still there
      await expect(page.locator('.outline.chosen')).toHaveCount(2);
      await page.goForward();
      await expect(decision).toBeVisible();
      await page.reload(); // the language chosen by hand is kept
      await expect(page.locator('html')).toHaveAttribute('lang', words.otherTag);
      expect(elsewhere).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
}

test('one side only, and a corrected reading with the same photo', async ({ page }) => {
  const sent = await recordForms(page);
  await page.goto('/');
  await take(page, FRONT, 0);
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.locator('.decision')).toBeVisible();
  const letters = page.getByLabel('Letters and numbers on the pill');
  const again = async () => {
    await sent();
    await page.getByRole('button', { name: 'Search again' }).click();
    await expect(page.locator('.decision')).toBeVisible();
    return (await sent()).map(({ field }) => field);
  };
  await page.getByText('Something is wrong').click();
  await expect(letters).not.toHaveValue('TEVA 576'); // what was read on the one side
  await letters.fill('TEVA 576');
  await expectAccessible(page);
  expect(await again()).toEqual(['front: image/jpeg', 'imprint=TEVA 576']);
  await expect(page.locator('.card', { hasText: 'lovastatin 20' })).not.toHaveCount(0);

  await page.getByText('Something is wrong').click();
  await expect(letters).toHaveValue('TEVA 576');
  await page.getByRole('radio', { name: 'navy' }).check({ force: true });
  await page.getByRole('radio', { name: 'oval' }).check({ force: true });
  const question = ['front: image/jpeg', 'imprint=TEVA 576', 'shape=oval', 'color=navy'];
  expect((await again()).sort()).toEqual(question.sort());
});

test('a large photo is made smaller before it travels', async ({ page }) => {
  const sent = await recordForms(page);
  await page.goto('/');
  const buffer = await worse(page, GROUP, { width: 4000 });
  await page.getByTestId('file').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer });
  await page
    .getByRole('button', { name: /^Choose pill/ })
    .first()
    .click();
  await page.getByRole('button', { name: SKIP }).click();
  await expect(page.locator('.decision')).toBeVisible();
  const photos = (await sent()).filter(({ longSide }) => longSide !== 0);
  expect(photos.map(({ field }) => field)).toEqual(['image: image/jpeg', 'front: image/jpeg']);
  for (const { longSide, size } of photos) {
    expect(longSide).toBeGreaterThan(300);
    expect(longSide).toBeLessThanOrEqual(1280);
    expect(size).toBeLessThan(buffer.length / 4);
  }
});

test('the camera is the first choice on a phone, and not there on a desktop', { tag: '@every-screen' }, async ({
  page,
  hasTouch,
}) => {
  await page.goto('/');
  const camera = page.locator('input[capture=environment]');
  await expect(page.getByText('Take a photo')).toBeVisible({ visible: hasTouch });
  await expect(page.getByText('Or drop a photo here, or paste one.')).toBeVisible({ visible: !hasTouch });
  if (!hasTouch) return;
  await camera.setInputFiles(FRONT);
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
});

test('many pills in one photo: tap one, then another', async ({ page }) => {
  await page.goto('/');
  await take(page, GROUP, 0);
  const spots = page.getByRole('button', { name: /^Choose pill/ });
  const count = await spots.count();
  expect(count).toBeGreaterThanOrEqual(4);
  await expect(page.getByText(/pills found. Tap the one you mean/)).toBeVisible();
  await expect(page.getByRole('button', { name: SKIP })).toHaveCount(0);
  await expectAccessible(page);
  for (let number = 0; number < count; number += 1) {
    await spots.nth(number).click();
    await expect(page.locator('.outline.chosen')).toHaveCount(1);
    await page.getByRole('button', { name: SKIP }).click();
    await expect(page.locator('.decision')).toBeVisible();
    await expect(page.locator('.decision')).not.toContainText('more than one pill');
    await page.getByRole('button', { name: 'Back to the photos' }).click();
  }
});

test('by keyboard alone', { tag: '@desktop' }, async ({ page }) => {
  const chooser = page.waitForEvent('filechooser');
  await page.goto('/');
  await expect(page.getByTestId('file')).toBeAttached(); // else there is nothing to go to yet
  await page.keyboard.press('Tab');
  await expect(page.getByText('Skip to content')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(FRONT);
  await expect(page.locator('.outline.chosen')).toHaveCount(1);
  await expect(page.getByRole('heading', { name: 'First side' })).toBeFocused();
  const skip = page.getByRole('button', { name: SKIP });
  for (let press = 0; press < 5 && !(await skip.evaluate((it) => it === document.activeElement)); press += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(page.locator('.decision').getByRole('heading')).toBeFocused();
});

test('dropped and pasted photos', { tag: '@desktop' }, async ({ page }) => {
  await page.goto('/');
  const bytes = Array.from((await import('node:fs')).readFileSync(FRONT));
  const files = await page.evaluateHandle((data) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(data)], 'photo.jpg', { type: 'image/jpeg' }));
    return transfer;
  }, bytes);
  await page.locator('body').dispatchEvent('drop', { dataTransfer: files }); // anywhere on the page
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
