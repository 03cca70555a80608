// What is shown is what the gateway says: overview, sessions, a session.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './support/browser.mjs';
import { decimal, eventually, open, rows, serve, skip, tile } from './support/page.mjs';

let gateway, fleet, browser;
before(async () => {
  if (skip) return;
  gateway = await serve();
  fleet = gateway.fleet(4, '--loss=5');
  browser = await launch();
  await eventually(async () => assert.equal((await gateway.ask('/api/stats')).calls, 4));
});
after(async () => {
  await browser?.close();
  await fleet?.kill();
  await gateway?.kill();
});

const sum = (values) => values.reduce((all, value) => all + value, 0);

test('the overview shows the numbers of the API', { skip }, async (t) => {
  const page = await open(t, browser, gateway);
  const seen = () => page.told.get('/api/stats');
  // Numbers move: those of one answer are compared with what stands there right after it.
  const equal = (title, of, field = 'figure') =>
    eventually(async () => {
      assert.ok(seen(), 'no answer yet');
      assert.equal((await tile(page, title))[field], of(seen()), title);
    });
  await eventually(async () => assert.equal((await tile(page, 'Sessions')).figure, '4'));
  await equal('Latency, p99', ({ recent }) => `${decimal(recent.total.latency.p99)} ms`);
  await equal('Latency, p99', ({ recent }) => `p50 ${decimal(recent.total.latency.p50)} ms · p95 ${decimal(recent.total.latency.p95)} ms`, 'more');
  await equal('Lost', ({ recent }) => `${decimal(recent.values.loss_percent)} %`);
  await equal('Lost', ({ recent: { values } }) => `${values.uplink_lost} lost · ${values.uplink_concealed} concealed · ${values.downlink_late} late`, 'more');
  await equal('Quality', () => 'full');
  await equal('Queue', ({ pendingRequests }) => String(pendingRequests));
  await equal('Restarts', ({ restarts }) => String(sum(Object.values(restarts))));
  await equal('Memory', ({ residentMemory }) => `${(residentMemory / 2 ** 20).toFixed(residentMemory >= 100 * 2 ** 20 ? 0 : 1)} MiB`);
  await equal('Overlaps', ({ tenants }) => String(sum(Object.values(tenants).map(({ keystreamOverlaps }) => keystreamOverlaps))));
  assert.ok(seen().recent.values.uplink_lost > 0, 'the fleet loses packets');

  await eventually(async () => assert.deepEqual((await rows(page, 'Workers')).map((row) => row[1]), seen().workerStats.map(({ sessions }) => String(sessions))));
  await eventually(async () => assert.deepEqual((await rows(page, 'Tenants')).map((row) => row.slice(0, 2)), Object.entries(seen().tenants).map(([name, { sessions }]) => [name, String(sessions)])));
  await eventually(async () => {
    const { counts } = seen().recent.guest;
    const share = `${decimal((100 * Math.max(...counts)) / sum(counts))} %`;
    const shown = (await rows(page, 'Frames by how long they took')).map((row) => row[2]);
    assert.ok(shown.includes(share), `${share} in ${shown}`);
  });
  const { coreSha256 } = seen().component;
  assert.equal(await page.locator('#about code').getAttribute('title'), coreSha256);
  assert.deepEqual(page.problems, []);
});

test('the graphs show history, and one moment of it in all of them', { skip }, async (t) => {
  const page = await open(t, browser, gateway, '#/?range=15m');
  const legend = (title) => page.locator('figure', { hasText: title }).locator('.value').allInnerTexts();
  await eventually(async () => {
    const { series } = page.told.get('/api/history');
    const last = series.calls.findLast((value) => value !== null);
    assert.equal((await legend('Sessions'))[0], `sessions ${Math.round(last * 10) / 10}`);
    assert.ok(last > 0);
  }, 60_000);
  assert.equal(await page.locator('canvas').count(), 9);
  const moment = page.getByRole('slider', { name: 'Moment' });
  await moment.focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await moment.getAttribute('aria-valuetext'), /^\d\d:\d\d:\d\d$/);
  await page.getByRole('radio', { name: '30 d' }).check();
  await eventually(() => assert.equal(page.told.get('/api/history').range, '30d'));
  assert.match(page.url(), /#\/\?range=30d$/);
});

test('a session is found, looked into and ended', { skip }, async (t) => {
  const page = await open(t, browser, gateway, '#/sessions');
  await eventually(async () => assert.equal((await rows(page, 'Live sessions')).length, 4));
  const all = page.told.get('/api/sessions').sessions;
  const wanted = all[2];
  const mac = wanted.device.split('@@@')[1].replaceAll('_', ':');
  await page.getByRole('searchbox').fill(mac);
  await eventually(async () => assert.equal((await rows(page, 'Live sessions')).length, 1));
  await page.getByText('1 of 4 sessions').waitFor();
  await page.getByRole('link', { name: mac }).click();
  await page.getByRole('heading', { name: mac }).waitFor();
  const path = `/api/sessions/${wanted.id}`;
  await eventually(async () => {
    const told = page.told.get(path);
    const { figure, more } = await tile(page, 'Lost');
    assert.equal(figure, `${decimal(told.lossPercent)} %`);
    assert.ok(more.startsWith(`${told.counts.lost} of `), more);
    assert.equal((await tile(page, 'Late')).figure, String(told.counts.late));
    assert.equal(await page.locator('.events li').count(), told.events.length);
  });
  await page.getByText(wanted.id, { exact: true }).waitFor();
  assert.equal(await page.locator('.events .what').first().innerText(), 'opened');
  await page.getByRole('button', { name: 'End this call' }).click();
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('Ended: operator').waitFor();
  assert.equal(await page.locator('.events .what').last().innerText(), 'closed');
  assert.equal(await page.getByRole('button', { name: 'End this call' }).count(), 0);
  assert.equal((await gateway.ask(path)).cause, 'operator');

  await page.getByRole('link', { name: 'All sessions' }).click();
  await page.getByRole('radio', { name: 'Ended' }).check();
  await eventually(async () => assert.ok((await rows(page, 'Ended sessions')).some((row) => row[0].startsWith(mac) && row[4] === 'operator')));
  assert.deepEqual(page.problems, []);
});

test('what happens is told as it happens', { skip }, async (t) => {
  const page = await open(t, browser, gateway);
  await page.getByText('Live', { exact: true }).waitFor();
  const [{ id, device }] = (await gateway.ask('/api/sessions')).sessions;
  await gateway.ask(`/api/sessions/${id}`, { method: 'DELETE' });
  const mac = device.split('@@@')[1].replaceAll('_', ':');
  await page.locator('.happenings li[data-event="closed"]', { hasText: mac }).filter({ hasText: 'operator' }).waitFor();
  // Its device calls again.
  await page.locator('.happenings li[data-event="opened"]', { hasText: mac }).waitFor();
});
