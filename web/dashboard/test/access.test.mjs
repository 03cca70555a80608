// Who can use it: with a keyboard, a screen reader, a phone; with thousands of sessions.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { grave, launch } from './support/browser.mjs';
import { eventually, open, rows, serve, skip, tabTo } from './support/page.mjs';

const MANY = 2_000;
let gateway, fleet, browser, id;
before(async () => {
  if (skip) return;
  gateway = await serve();
  fleet = gateway.fleet(3);
  browser = await launch();
  await eventually(async () => assert.equal((await gateway.ask('/api/stats')).calls, 3));
  id = (await gateway.ask('/api/sessions')).sessions[0].id;
});
after(async () => {
  await browser?.close();
  await fleet?.kill();
  await gateway?.kill();
});

const views = () => ['#/', '#/sessions', `#/sessions/${id}`, '#/alerts'];
const settled = async (page) => {
  await page.getByText('Live', { exact: true }).first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.uplot, .grid tbody tr, .events li, .rules li').length > 0);
};

test('all of the page is under 80 kB, compressed', async () => {
  const assets = new URL('../dist/assets/', import.meta.url);
  const files = await Promise.all((await readdir(assets)).map((name) => readFile(new URL(name, assets))));
  assert.ok(files.length > 0);
  const size = files.reduce((all, file) => all + gzipSync(file, { level: 9 }).length, 0);
  assert.ok(size < 80_000, `${size} bytes`);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious, ${colorScheme}`, { skip }, async (t) => {
    for (const view of views()) {
      const page = await open(t, browser, gateway, view, { colorScheme, bypassCSP: true });
      await settled(page);
      assert.deepEqual(await grave(page), [], view);
    }
  });
}

test('on a phone nothing is wider than the screen', { skip }, async (t) => {
  for (const view of views()) {
    const page = await open(t, browser, gateway, view, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    await settled(page);
    const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(wide, screen, view);
  }
});

test('all of it can be done with the keyboard alone', { skip }, async (t) => {
  const page = await open(t, browser, gateway);
  await settled(page);
  const { keyboard } = page;
  await tabTo(page, 'Moment');
  await keyboard.press('Home');
  assert.equal(await page.locator('.moment input').inputValue(), '0');
  await keyboard.press('Tab');
  await keyboard.press('ArrowRight');
  await eventually(() => assert.equal(page.told.get('/api/history').range, '6h'));

  await page.evaluate(() => document.activeElement.blur());
  await page.locator('body').press('Tab');
  await tabTo(page, 'Sessions');
  await keyboard.press('Enter');
  await eventually(async () => assert.equal((await rows(page, 'Live sessions')).length, 3));
  await tabTo(page, 'Loss');
  await keyboard.press('Enter');
  assert.equal(await page.getByRole('columnheader', { name: 'Loss' }).getAttribute('aria-sort'), 'descending');
  await tabTo(page, /^[0-9a-f]{2}:[0-9a-f]{2}:/i);
  const focused = () => page.evaluate(() => document.activeElement.closest('tr')?.getAttribute('aria-rowindex'));
  const at = Number(await focused());
  await keyboard.press('End');
  assert.equal(await focused(), '4');
  await keyboard.press('Home');
  assert.equal(await focused(), '2');
  await keyboard.press('ArrowDown');
  assert.equal(await focused(), '3');
  assert.equal(at, 2, 'the first is the one that Tab reaches');
  await keyboard.press('Enter');
  await tabTo(page, 'End this call');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await keyboard.press('Escape');
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'End this call …', 'the focus is where it was');

  await page.goto(gateway.at('/#/alerts'));
  await page.locator('.rules li').first().waitFor();
  await tabTo(page, /^Silence /);
  await keyboard.press('Enter');
  await tabTo(page, /^Silence$/);
  await keyboard.press('Enter');
  await page.getByRole('button', { name: 'Lift' }).waitFor();
  assert.deepEqual(page.problems, []);
});

test('who wants no motion sees none', { skip }, async (t) => {
  const page = await open(t, browser, gateway, '#/', { reducedMotion: 'reduce' });
  await settled(page);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});

// Two thousand calls would load this machine, and not the page: what the gateway says of its three is said again and again,
// with other ids.
test(`${MANY} sessions are sorted, filtered and scrolled, and only those that are seen are written`, { skip }, async (t) => {
  const page = await open(t, browser, gateway);
  await settled(page);
  await page.route('**/api/sessions', async (route) => {
    const { sessions } = await (await route.fetch()).json();
    const many = Array.from({ length: MANY }, (_, index) => {
      const like = sessions[index % sessions.length];
      const mac = [0x0a, 0, 0, 0, index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')).join('_');
      return { ...like, id: `many-${index}`, device: `GID_many@@@${mac}@@@${index}`, lossPercent: index / 100, avgMs: (index * 7919) % MANY };
    });
    await route.fulfill({ json: { sessions: many } });
  });
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => (window.longest = Math.max(window.longest, ...list.getEntries().map(({ duration }) => duration)))).observe({ entryTypes: ['longtask'] });
  });
  await page.evaluate(() => (location.hash = '#/sessions'));
  await page.getByText('2,000 sessions').waitFor();
  const table = page.getByRole('table', { name: 'Live sessions' });
  assert.equal(await table.getAttribute('aria-rowcount'), String(MANY + 1));
  const written = async () => (await rows(page, 'Live sessions')).map((row) => row[5]);
  const sort = () => page.getByRole('button', { name: 'Loss' }).click();
  await sort();
  assert.equal((await written())[0], '20.0 %');
  assert.ok((await written()).length < 60, 'what is not seen is not written');
  await table.getByRole('link').first().focus();
  await page.keyboard.press('End');
  await eventually(async () => assert.equal((await written()).at(-1), '0 %'));
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').getAttribute('aria-rowindex')), String(MANY + 1));
  await page.locator('.scroller').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight / 2));
  await eventually(async () => assert.ok((await written()).some((loss) => /^(9\.9\d|10\.0) %$/.test(loss))));
  await page.getByRole('searchbox').fill('0a:00:00:00:07:cf');
  await page.getByText('1 of 2,000 sessions').waitFor();
  assert.deepEqual(await written(), ['20.0 %']);
  t.diagnostic(`longest task: ${await page.evaluate(() => Math.round(window.longest))} ms`);
  assert.deepEqual(page.problems, []);
});
