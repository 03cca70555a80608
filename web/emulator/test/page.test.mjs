// The page: how large it is, whom it shuts out, what its address holds.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { serve } from './support/files.mjs';
import { Gateway } from './support/gateway.mjs';
import { activity, connected, log, notices, opened, reached, until } from './support/page.mjs';
import { skip, stage } from './support/stage.mjs';

const on = stage();
const dist = new URL('../dist/', import.meta.url);
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

test('the page’s JavaScript is under 80 kB, the module under 260 kB, compressed', async () => {
  const assets = new URL('assets/', dist);
  const size = async (pattern) => {
    const names = (await readdir(assets)).filter((name) => pattern.test(name));
    assert.ok(names.length > 0);
    const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(new URL(name, assets)), { level: 9 }).length));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const [script, module] = [await size(/\.js$/), await size(/^sidetone\.core-.*\.wasm$/)];
  assert.ok(script < 80_000, `${script} bytes`);
  assert.ok(module < 260_000, `${module} bytes`);
});

test('all of it can be done with the keyboard alone', { skip }, async (t) => {
  const page = await opened(t, on.browser, on.gateway.page);
  const go = async (name) => {
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
      if (focused === name) return;
    }
    assert.fail(`${name} cannot be reached`);
  };
  await go('Connect');
  await page.keyboard.press('Enter');
  await activity(page, 'idle');
  await go('Hold to talk');
  await page.keyboard.down(' ');
  await reached(page, ({ sent }) => sent >= 10);
  await page.keyboard.up(' ');
  await activity(page, 'speaking');
  await activity(page, 'ready');
  await go('Goodbye');
  await page.keyboard.press('Enter');
  await activity(page, 'idle');
  // The timeline is walked through, held still, and searched while it is. (It is told what happened four times a second, or when
  // it is asked for.)
  await log(page);
  const line = () => page.evaluate(() => (document.activeElement.matches('.line') ? document.activeElement.innerText : ''));
  for (let presses = 0; presses < 80 && (await line()) === ''; presses++) await page.keyboard.press('Tab');
  assert.match(await line(), /session over/, 'the last line is reached with Tab');
  await page.keyboard.press('Home');
  assert.match(await line(), /connected/);
  await page.keyboard.press('ArrowDown');
  assert.match(await line(), /"type":"hello"/);
  await page.locator('.inspection').getByText('"transport": "udp"').waitFor();
  await go('Pause');
  await page.keyboard.press('Enter');
  const lines = await page.locator('.line').count();
  await page.evaluate(() => window.emulator.listen());
  await activity(page, 'listening');
  await page.evaluate(() => window.emulator.hangup());
  await activity(page, 'idle');
  await log(page);
  assert.equal(await page.locator('.line').count(), lines, 'it stands still');
  await page.getByRole('searchbox').fill('goodbye');
  assert.equal(await page.locator('.line').count(), 1, 'of what it held');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: 'Go on' }).click();
  assert.ok((await page.locator('.line').count()) > lines);
  // Wherever the focus is, the space bar is the button.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.down(' ');
  await activity(page, 'listening');
  await page.keyboard.up(' ');
  assert.deepEqual(page.problems, []);
});

test('what the book tells scripts to do', { skip }, async (t) => {
  const book = await readFile(new URL('../../../docs/emulator.md', import.meta.url), 'utf8');
  const [, script] = book.match(/^```js [^\n]*\n(.*?)^```$/ms);
  const page = await opened(t, on.browser, on.gateway.page, 'source=tone');
  await page.evaluate(`(async () => {\n${script}\n})()`);
  await activity(page, 'speaking');
  await reached(page, ({ sent, down }) => sent >= 10 && down.played >= 10);
  assert.deepEqual(await page.evaluate(() => window.emulator.devices[0].settings.down), { loss: 5, delay: 0, jitter: 0, reorder: 0, duplicate: 0 });
  assert.equal(await page.getByLabel('Loss').last().inputValue(), '5', 'what a script sets is shown');
  assert.deepEqual(page.problems, []);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious, ${colorScheme}`, { skip }, async (t) => {
    const context = await on.browser.newContext({ colorScheme, bypassCSP: true });
    const page = await connected(t, context, on.gateway.page);
    await page.evaluate(() => window.emulator.listen());
    await reached(page, ({ sent }) => sent >= 10);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run());
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
  });
}

test('four devices side by side have addresses of their own, and all connect', { skip }, async (t) => {
  const own = await Gateway.start();
  t.after(() => own.kill());
  const page = await opened(t, on.browser, own.page, 'devices=4&source=tone');
  await page.getByRole('button', { name: 'Connect all', exact: true }).click();
  await until(page, () => window.emulator.devices.every(({ activity }) => activity === 'idle'));
  const macs = await page.evaluate(() => window.emulator.devices.map(({ settings }) => settings.mac));
  assert.equal(new Set(macs).size, 4);
  assert.equal((await own.stats()).devices, 4);
  await page.getByRole('button', { name: 'Disconnect all', exact: true }).click();
  await until(page, () => window.emulator.devices.every(({ activity }) => activity === 'off'));
});

test('the link repeats the settings, without secrets', { skip }, async (t) => {
  const page = await opened(t, on.browser, on.gateway.page, 'mode=auto&down.loss=7&frame=20&bitrate=12345&nonsense=1&firmware=1999&up.loss=-1&fec=maybe&password=no&devices=99');
  const settings = await page.evaluate(() => window.emulator.devices[0].settings);
  assert.deepEqual([settings.mode, settings.down.loss, settings.frame, settings.password], ['auto', 7, 20, '']);
  assert.equal(await page.getByLabel('Bitrate').locator('option:checked').textContent(), '12345 bit/s');
  const refused = [
    'The address sets devices to 99: it may be a whole number from 1 to 16.',
    'The address sets nonsense, which is no setting.',
    'The address sets firmware to 1999: it may be 2026, 2025, improved.',
    'The address sets up.loss to -1: it may be a number from 0 to 100.',
    'The address sets fec to maybe: it may be 0, 1.',
    'The address sets password, which is a secret: addresses are kept and shared. Type it into its field.',
  ];
  assert.deepEqual(await notices(page), [refused.join(' ')]);
  await page.evaluate(() => window.emulator.configure({ signatureKey: 'abracadabra' }));
  await page.getByLabel('Jitter').last().fill('30');
  const link = new URLSearchParams((await page.locator('#link').getAttribute('href')).slice(1));
  assert.deepEqual([link.get('mode'), link.get('down.loss'), link.get('down.jitter'), link.get('signatureKey')], ['auto', '7', '30', null]);
  const saved = await page.evaluate(() => JSON.stringify(window.emulator.session()));
  assert.ok(!saved.includes('abracadabra'));
});

test('any web server will do: the page finds the gateway that its address names', { skip }, async (t) => {
  const files = await serve(dist);
  t.after(() => files.close());
  const page = await connected(t, on.browser, files.address, `gateway=ws://127.0.0.1:${on.gateway.web}&mode=realtime`);
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await reached(page, ({ sent }) => sent >= 5);
  // It knows of no gateway but by its name: then it says no more of the module than it knows.
  assert.doesNotMatch(await page.locator('#module').innerText(), /gateway/);
  assert.deepEqual([page.problems, await notices(page)], [[], []]);
});
