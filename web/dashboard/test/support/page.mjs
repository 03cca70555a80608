// What the tests do on the page, and what they were told by the gateway.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { skip as noGateway, Gateway } from '../../../ui/test/process.mjs';
import { skip as noBrowser } from './browser.mjs';

export const skip = noBrowser || noGateway;

/** The page that was just built, whichever the program carries. */
const PAGE = fileURLToPath(new URL('../../dist', import.meta.url));

export const serve = ({ args = [], ...rest } = {}) => Gateway.start({ args: [`--http-dashboard-page=${PAGE}`, ...args], ...rest });

/** Opens a view. What the page is told is kept by path; anything that a browser complains of is an error. */
export async function open(t, browser, gateway, hash = '#/', options = {}) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  page.told = new Map();
  page.problems = [];
  page.on('response', async (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === '/api/events' || !response.headers()['content-type']?.includes('json')) return;
    const body = await response.json().catch(() => undefined);
    if (body) page.told.set(pathname, body);
  });
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    // A server that is gone is told by the page itself.
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) page.problems.push(message.text());
  });
  await page.goto(gateway.at(`/${hash}`));
  return page;
}

/** Waits until a check passes; its last failure is the test's. */
export async function eventually(check, patience = 20_000) {
  const late = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > late) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The figure of a tile, and what stands below it. */
export async function tile(page, title) {
  const cell = page.locator('.tile', { has: page.getByText(title, { exact: true }) });
  return { figure: await cell.locator('.figure').innerText(), more: await cell.locator('dd.quiet').innerText() };
}

/** The rows of a table, as texts. */
export const rows = (page, caption) => page.getByRole('table', { name: caption }).locator('tbody tr:not(.gap)').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.innerText)));

/** A number as the page writes it. */
export function decimal(value) {
  if (value === 0) return '0';
  if (value < 0.01) return '<0.01';
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** Presses Tab until the element of this name has the focus. */
export async function tabTo(page, name, limit = 80) {
  for (let presses = 0; presses < limit; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? '');
    if (typeof name === 'string' ? focused.startsWith(name) : name.test(focused)) return focused;
  }
  assert.fail(`${name} cannot be reached`);
}
