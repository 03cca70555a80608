// Calls that something happens to: a bad network, a busy page, a module that fails, a gateway that crashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from './support/gateway.mjs';
import { activity, calling, connected, log, notices, opened, played, reached, statistics, talk, until } from './support/page.mjs';
import { skip, stage } from './support/stage.mjs';
import { steady, watched } from './support/steady.mjs';

const on = stage();

/** How much higher the counts are. */
const since = (before, now) => ({
  ...Object.fromEntries(Object.entries(now.down).map(([name, value]) => [name, value - before.down[name]])),
  starved: now.starved - before.starved,
  onTheWay: now.network.down.lost - before.network.down.lost,
});

test('at five percent loss as many frames are made up as are lost, and none is missing', { skip }, async (t) => {
  const page = await calling(t, on.context, on.gateway.page, 'transport=mqtt-websocket&seed=3');
  await watched(page);
  const loss = (percent) =>
    page.evaluate((loss) => window.emulator.configure({ down: { ...window.emulator.devices[0].settings.down, loss } }), percent);
  const counts = await steady(t, page, async () => {
    const before = await statistics(page);
    await loss(5);
    await reached(page, ({ network }, wanted) => network.down.lost >= wanted, before.network.down.lost + 4);
    // The packets behind the last lost one tell that it is.
    await loss(0);
    await played(page, 20);
    return since(before, await statistics(page));
  });
  assert.ok(counts.onTheWay >= 4);
  assert.equal(counts.lost, counts.onTheWay, JSON.stringify(counts));
  assert.equal(counts.concealed + counts.recovered, counts.lost, JSON.stringify(counts));
  assert.deepEqual([counts.underruns, counts.skipped, counts.starved], [0, 0, 0], JSON.stringify(counts));
});

test('a main thread that is blocked nine tenths of the time is not heard', { skip }, async (t) => {
  const page = await calling(t, on.context, on.gateway.page);
  await watched(page);
  const counts = await steady(t, page, async () => {
    const before = await statistics(page);
    await page.evaluate(async () => {
      const end = performance.now() + 4000;
      while (performance.now() < end) {
        const until = performance.now() + 180;
        while (performance.now() < until);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    return since(before, await statistics(page));
  });
  assert.ok(counts.played >= 60, JSON.stringify(counts));
  assert.deepEqual([counts.starved, counts.underruns, counts.lost, counts.late], [0, 0, 0, 0], JSON.stringify(counts));
});

test('the module traps in the middle of a call, one frame is lost, and the call goes on', { skip }, async (t) => {
  const page = await calling(t, on.context, on.gateway.page);
  const { sent } = await statistics(page);
  await page.getByRole('button', { name: 'Let the module fail' }).click();
  await reached(page, ({ restarts }) => restarts === 1);
  await reached(page, ({ sent }, wanted) => sent >= wanted, sent + 15);
  await played(page, 15);
  const now = await statistics(page);
  assert.deepEqual([now.restarts, now.rejected], [1, 0], JSON.stringify(now));
  assert.equal((await notices(page)).filter((notice) => /The frame in hand is lost/.test(notice)).length, 1);
  // On the wire no number is missing, and none comes twice.
  const numbers = (await log(page)).map((line) => line.match(/^up #(\d+) /)).filter(Boolean).map(([, number]) => Number(number));
  assert.deepEqual(numbers, numbers.map((_, n) => n + 1));
  assert.equal(await page.evaluate(() => window.emulator.devices[0].activity), 'speaking');
});

test('as firmware plays, gaps are dropped and nothing is made up', { skip }, async (t) => {
  const page = await connected(t, on.context, on.gateway.page, 'playout=faithful&firmware=2026&down.loss=20&seed=5');
  await talk(page, 40);
  const { down } = await statistics(page);
  assert.ok(down.skipped > 0 && down.skipped === down.lost, JSON.stringify(down));
  assert.deepEqual([down.concealed, down.recovered], [0, 0]);
});

test('a gateway that crashes and comes back is called again', { skip }, async (t) => {
  const own = await Gateway.start();
  t.after(() => own.kill());
  const page = await calling(t, on.context, own.page, 'transport=mqtt-websocket');
  await own.kill();
  await page.getByRole('alert').filter({ hasText: 'gone' }).waitFor();
  const again = await Gateway.start({ web: own.web, http: own.http });
  t.after(() => again.kill());
  // It comes back by itself; the session it lost ends, and the next is opened by the button.
  await until(page, () => window.emulator.devices[0].log.filter(({ text }) => text === 'connected').length === 2);
  await page.getByText('Connected again.').first().waitFor();
  await page.evaluate(() => window.emulator.hangup());
  await activity(page, 'idle');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await activity(page, 'speaking');
  await played(page, 10);
  assert.deepEqual(page.problems, []);
});

test('a device that is switched off while it connects says nothing of it', { skip }, async (t) => {
  const page = await opened(t, on.browser, on.gateway.page);
  await page.evaluate(async () => {
    for (let ms = 0; ms < 60; ms += 3) {
      void window.emulator.connect();
      await new Promise((resolve) => setTimeout(resolve, ms));
      void window.emulator.disconnect();
    }
  });
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await activity(page, 'idle');
  assert.deepEqual([page.problems, await notices(page)], [[], []]);
});

test('two pages that are one device are told so', { skip }, async (t) => {
  const [one, other] = [await connected(t, on.context, on.gateway.page), await opened(t, on.context, on.gateway.page)];
  const mac = await one.evaluate(() => window.emulator.devices[0].settings.mac);
  await other.evaluate((mac) => window.emulator.configure({ mac }), mac);
  await other.getByRole('button', { name: 'Connect', exact: true }).click();
  await one.getByRole('alert').filter({ hasText: `is another device of the MAC address ${mac} connected?` }).waitFor();
  await one.evaluate(() => window.emulator.disconnect());
  await activity(other, 'idle');
  // Those who did not say which device they are, are not the same one.
  const [third, fourth] = [await on.context.newPage(), await on.context.newPage()];
  t.after(() => Promise.all([third.close(), fourth.close()]));
  const addresses = [];
  for (const page of [third, fourth]) {
    await page.goto(on.gateway.page);
    await until(page, () => window.emulator !== undefined);
    const address = () => page.evaluate(() => window.emulator.devices[0].settings.mac);
    addresses.push(await address());
    await page.reload();
    await until(page, () => window.emulator !== undefined);
    assert.equal(await address(), addresses.at(-1), 'a page that is loaded anew is the same device');
  }
  assert.notEqual(addresses[0], addresses[1]);
});
