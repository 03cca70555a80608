// Alerts, a gateway that dies, one that asks for a token, one that nobody calls.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './support/browser.mjs';
import { eventually, open, serve, skip, tile } from './support/page.mjs';

let browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser?.close());

test('an alert that fires is shown, silenced and lifted', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sidetone-'));
  t.after(() => rm(folder, { recursive: true }));
  const settings = join(folder, 'sidetone.toml');
  await writeFile(settings, '[[alerts.rules]]\nname = "somebody-calls"\nmetric = "calls"\nabove = 0\nseverity = "critical"\n');
  const gateway = await serve({ args: [`--config=${settings}`] });
  t.after(() => gateway.kill());
  const page = await open(t, browser, gateway);
  await page.getByText(/No alert fires; \d+ rules watched/).waitFor();
  const fleet = gateway.fleet(1);
  t.after(() => fleet.kill());
  const card = page.locator('.alert[data-id="somebody-calls"]');
  await card.waitFor({ timeout: 40_000 });
  assert.equal(await page.locator('.tile', { hasText: 'Sessions' }).getAttribute('data-severity'), 'critical');
  await card.getByRole('button', { name: 'Silence' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('For').selectOption('8 hours');
  await dialog.getByLabel('Why').fill('a test of <b>silence</b>');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await card.getByText('a test of <b>silence</b>').waitFor();
  const find = async () => (await gateway.ask('/api/alerts')).alerts.find(({ id }) => id === 'somebody-calls');
  const silenced = await find();
  assert.deepEqual([silenced.state, silenced.silence.why], ['firing', 'a test of <b>silence</b>']);
  assert.ok(Math.abs(silenced.silence.until - Date.now() - 8 * 3_600_000) < 60_000);
  await card.getByRole('button', { name: 'Lift' }).click();
  await card.getByRole('button', { name: /^Silence/ }).waitFor();
  assert.equal((await find()).silence, null);

  await page.getByRole('link', { name: 'Alerts' }).click();
  await page.getByRole('row', { name: /somebody calls firing critical/ }).waitFor();
  assert.deepEqual(page.problems, []);
});

test('a gateway that is killed is said to be gone, since when, and is live again when it is', { skip }, async (t) => {
  let gateway = await serve();
  t.after(() => gateway.kill());
  const page = await open(t, browser, gateway);
  const state = page.locator('#live');
  await page.getByText('Live', { exact: true }).waitFor();
  const { started } = page.told.get('/api/stats');
  const { http } = gateway;
  await gateway.kill();
  await eventually(async () => assert.match(await state.innerText(), /^Not live since \d\d:\d\d:\d\d: the gateway cannot be reached\. Trying again\.$/));
  assert.equal((await tile(page, 'Sessions')).figure, '0', 'what was known stays');
  gateway = await serve({ listen: { 'http-listen': http } });
  await eventually(async () => assert.equal(await state.innerText(), 'Live'));
  await eventually(() => assert.ok(page.told.get('/api/stats').started > started));
  // Events come through again, and not only numbers.
  const fleet = gateway.fleet(1);
  t.after(() => fleet.kill());
  await page.locator('.happenings li[data-event="opened"]').waitFor();
  assert.deepEqual(page.problems, []);
});

test('a gateway that hangs is no live one', { skip }, async (t) => {
  const gateway = await serve();
  t.after(() => gateway.kill());
  const page = await open(t, browser, gateway);
  const state = page.locator('#live');
  await page.getByText('Live', { exact: true }).waitFor();
  gateway.signal('SIGSTOP');
  await eventually(async () => assert.match(await state.innerText(), /^Not live since .*: the gateway does not answer in time\. Trying again\.$/));
  gateway.signal('SIGCONT');
  await eventually(async () => assert.equal(await state.innerText(), 'Live'));
  assert.deepEqual(page.problems, []);
});

test('with a token it works by the browser’s password, and without is not there', { skip }, async (t) => {
  const gateway = await serve({ token: 'correct horse' });
  t.after(() => gateway.kill());
  const page = await open(t, browser, gateway, '#/', { httpCredentials: { username: 'me', password: 'correct horse', origin: gateway.at('') } });
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('Taking calls').waitFor();
  assert.deepEqual(page.problems, []);
  const stranger = await fetch(gateway.at('/'));
  assert.equal(stranger.status, 401);
});

test('a gateway without calls says how to make one', { skip }, async (t) => {
  const gateway = await serve();
  t.after(() => gateway.kill());
  const page = await open(t, browser, gateway);
  await page.getByText(`sidetone fleet --devices 10 --gateway mqtt://127.0.0.1:${gateway.mqtt}`).waitFor();
  assert.equal(await page.getByRole('link', { name: 'hold a device in this browser' }).getAttribute('href'), 'device/');
  await page.goto(gateway.at('/#/sessions'));
  await page.getByText('No calls just now.').waitFor();
  await page.goto(gateway.at('/#/sessions/no-such-session'));
  await page.getByText('There is no session no-such-session').waitFor();
});

test('why calls are not taken is said first', { skip }, async (t) => {
  const gateway = await serve({ args: ['--limits-calls=1'] });
  t.after(() => gateway.kill());
  const fleet = gateway.fleet(1);
  t.after(() => fleet.kill());
  const page = await open(t, browser, gateway);
  await page.getByText('Not taking calls').waitFor();
  await page.getByText('The gateway is full: 1 calls of at most 1.').waitFor();
});
