import { expect, test } from '@playwright/test';
import { expectAccessible, expectNoSideways } from './helpers';

test('search by description alone', { tag: '@every-screen' }, async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Describe' }).click();
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('alert')).toContainText('at least one field');
  await page.getByLabel('Letters and numbers on the pill').fill('teva 576');
  await page.getByRole('radio', { name: 'round' }).check({ force: true });
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.locator('.card:visible').first()).toContainText('lovastatin 20');
  await expect(page.locator('.card:visible').first()).not.toContainText('How sure');
  await page.locator('.card:visible').last().scrollIntoViewIfNeeded();
  await expect(page.getByText('Verify with a pharmacist before you take it.')).toBeInViewport();
  await expect(page.locator('.dates')).toContainText('7 June 2018');
  await expectAccessible(page);
  await expectNoSideways(page);
});

test('what no catalogue has', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Describe' }).click();
  await page.getByLabel('Name of the medicine').fill('no such medicine anywhere');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByText('Nothing in the catalogues matches')).toBeVisible();
});

test('browse the catalogues, narrowed by every choice', { tag: '@every-screen' }, async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Browse' }).click();
  const cards = page.locator('.card:visible');
  await expect(page.getByText('The first 48.')).toBeVisible();
  await expect(cards).toHaveCount(48);
  await cards.last().scrollIntoViewIfNeeded();
  await expect(page.getByText('Verify with a pharmacist before you take it.')).toBeInViewport();
  await expectAccessible(page);
  await page.getByLabel('Shape').selectOption('triangle');
  await page.getByLabel('Colour').selectOption('pink');
  await page.getByLabel('Catalogue').selectOption('kr-mfds');
  await expect(cards.first()).toContainText('triangle');
  await expect(cards.first()).toContainText('pink');
  await expect(cards.first()).toContainText('Korea (MFDS)');
  await cards.first().locator('img').scrollIntoViewIfNeeded();
  await expect
    .poll(() =>
      cards
        .first()
        .locator('img')
        .evaluate((image: HTMLImageElement) => image.naturalWidth),
    )
    .toBe(440);
  await expect(cards.first().locator('h3 [lang=ko]')).toHaveCount(1); // a screen reader changes its voice
  await expect(page.locator('.dates')).toContainText('Korea (MFDS): 12 January 2021');
  await cards.first().getByText('More from the catalogue').click();
  await expect(cards.first()).toContainText(/\d mm/);
  await expectAccessible(page);
  await expectNoSideways(page);
});
