// Calls from the page, in Chromium, to a gateway that runs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, skip as noBrowser } from './browser.mjs';
import { Gateway, skip as noGateway } from './gateway.mjs';
import { activity, connected, hold, notices, recording, statistics, talk, until } from './page.mjs';
import { correlation, rms } from './sound.mjs';

const skip = noBrowser || noGateway;
let gateway, browser, context;
before(async () => {
  if (skip) return;
  gateway = await Gateway.start();
  browser = await launch();
  context = await browser.newContext();
});
after(async () => {
  await browser?.close();
  await gateway?.kill();
});

for (const [name, query, carrier] of [
  ['WebTransport', 'transport=webtransport', 'WebTransport'],
  ['a WebSocket beside MQTT', 'transport=mqtt-websocket', 'WebSocket'],
  ['WebSocket alone, version 3', 'transport=websocket', 'WebSocket'],
  ['WebSocket alone, version 1', 'transport=websocket&version=1', 'WebSocket'],
]) {
  test(`what is said comes back through ${name}`, { skip }, async (t) => {
    const page = await connected(t, context, gateway.page, `${query}&bitrate=48000`);
    await talk(page, 2500);
    const { up, upRate, down, downRate } = await recording(page);
    const { down: counts, restarts, rejected } = await statistics(page);
    const shown = await page.locator('.states').innerText();
    assert.match(shown, new RegExp(`audio: ${carrier}`), `${shown} ${await notices(page)}`);
    assert.ok(counts.received > 35, JSON.stringify(counts));
    assert.equal(counts.played, counts.received, JSON.stringify(counts));
    assert.deepEqual([counts.lost, restarts, rejected], [0, 0, 0], JSON.stringify(counts));
    const same = correlation(up, upRate, down, downRate, 2);
    assert.ok(same > 0.9, `correlation ${same}`);
    await page.getByText(/s of speech/).first().waitFor();
    assert.deepEqual(page.problems, []);
    });
}

test('the page says that it runs the gateway’s module only where it compared them', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page);
  const said = await page.locator('#module').innerText();
  assert.match(said, /the same as the gateway’s/);
  const { component } = await gateway.stats();
  assert.equal(await page.evaluate(() => window.emulator.devices[0].sha256), component.coreSha256);
  await page.route('**/gateway.json', (route) => route.fulfill({ json: { web: gateway.web, coreSha256: 'f'.repeat(64) } }));
  await page.reload();
  await page.getByText(/the gateway runs another \(ffffffffffff\)/).waitFor();
});

test('at five percent loss as many frames are made up as are lost, and none is missing', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page, 'mode=realtime&down.loss=5&transport=mqtt-websocket&seed=3');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await until(page, () => (window.emulator.statistics?.network.down.lost ?? 0) >= 4, 60_000);
  // The packets behind the last lost one tell that it is.
  await page.evaluate(() => {
    const { settings } = window.emulator.devices[0];
    window.emulator.configure({ down: { ...settings.down, loss: 0 } });
  });
  await page.waitForTimeout(1500);
  const { down, network, starved } = await statistics(page);
  assert.equal(down.lost, network.down.lost, JSON.stringify(down));
  assert.equal(down.concealed + down.recovered, down.lost, JSON.stringify(down));
  assert.deepEqual([down.underruns, down.skipped, starved], [0, 0, 0], JSON.stringify(down));
});

test('a main thread that is blocked nine tenths of the time is not heard', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page, 'mode=realtime');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await activity(page, 'speaking');
  await page.waitForTimeout(1000);
  const before = await statistics(page);
  await page.evaluate(async () => {
    const end = performance.now() + 4000;
    while (performance.now() < end) {
      const until = performance.now() + 180;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  const now = await statistics(page);
  assert.ok(now.down.played - before.down.played > 50, JSON.stringify([before.down, now.down]));
  assert.deepEqual([now.starved - before.starved, now.down.underruns - before.down.underruns], [0, 0], JSON.stringify(now));
});

test('the module traps in the middle of a call, and the call goes on', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page, 'mode=realtime');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await activity(page, 'speaking');
  await page.waitForTimeout(1000);
  const { sent } = await statistics(page);
  await page.getByRole('button', { name: 'Let the module fail' }).click();
  await until(page, () => window.emulator.statistics.restarts === 1);
  await page.waitForTimeout(1500);
  const now = await statistics(page);
  assert.ok(now.sent > sent + 15 && now.rejected === 0, JSON.stringify(now));
  assert.ok((await notices(page)).some((notice) => /The frame in hand is lost/.test(notice)));
  assert.equal(await page.evaluate(() => window.emulator.devices[0].activity), 'speaking');
});

test('as firmware plays, gaps are dropped and nothing is made up', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page, 'playout=faithful&firmware=2026&down.loss=20&seed=5');
  await talk(page, 2500);
  const { down } = await statistics(page);
  assert.ok(down.skipped > 0 && down.skipped === down.lost, JSON.stringify(down));
  assert.deepEqual([down.concealed, down.recovered], [0, 0]);
});

test('an interruption ends the speech, tools are answered, goodbye ends the session', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page);
  await hold(page, 2500);
  await activity(page, 'speaking');
  await page.getByRole('button', { name: 'Interrupt' }).click();
  await activity(page, 'ready');
  await page.getByRole('button', { name: 'Goodbye' }).click();
  await activity(page, 'idle');
  // The timeline is told four times a second.
  await page.waitForTimeout(500);
  const said = await page.evaluate(() => window.emulator.devices[0].log.filter(({ direction }) => direction === 'up').map(({ text }) => text).join());
  assert.ok(said.includes('"type":"abort"') && said.includes('"type":"goodbye"'), said);
});

test('a packet can be looked into, and no key shows', { skip }, async (t) => {
  const page = await connected(t, context, gateway.page);
  await talk(page, 1000);
  await page.getByLabel('packets').check();
  await page.getByLabel('messages').uncheck();
  await page.getByLabel('states').uncheck();
  await page.locator('.line.audio').first().click();
  await page.locator('.inspection').getByText('sequence').waitFor();
  const shown = await page.locator('.inspection').innerText();
  for (const part of [/sequence\s+\d+/, /timestamp\s+\d+ ms/, /TOC\s+0x[0-9a-f]{2}/, /60 ms together/, /^0000  01 00/m]) assert.match(shown, part);
  const session = await page.evaluate(() => JSON.stringify(window.emulator.session()));
  assert.ok(session.includes('"key\\":\\"…\\"'), 'the hello is there');
  assert.ok(!/key\\":\\"[0-9a-f]{32}/.test(session));
});

test('a gateway that crashes and comes back is called again', { skip }, async (t) => {
  const own = await Gateway.start();
  const page = await connected(t, context, own.page, 'mode=realtime&transport=mqtt-websocket');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await activity(page, 'speaking');
  await own.kill();
  await page.getByRole('alert').filter({ hasText: 'gone' }).waitFor();
  const again = await Gateway.start({ web: own.web, http: own.http });
  try {
    // It comes back by itself; the session it lost ends, and the next is opened by the button.
    await until(page, () => window.emulator.devices[0].log.filter(({ text }) => text === 'connected').length === 2, 40_000);
    await page.evaluate(() => window.emulator.hangup());
    await activity(page, 'idle');
    await page.getByRole('button', { name: 'Talk', exact: true }).click();
    await activity(page, 'speaking');
    await until(page, () => window.emulator.statistics.down.played > 10);
    assert.deepEqual(page.problems, []);
  } finally {
    await again.kill();
    }
});

test('a microphone is heard', { skip }, async (t) => {
  const clip = new URL('../../../crates/sidetone/assets/speech.wav', import.meta.url).pathname;
  const own = await launch('--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${clip}`);
  try {
    const page = await connected(t, await own.newContext(), gateway.page, 'source=microphone&bitrate=48000');
    await page.waitForTimeout(500);
    await talk(page, 3000);
    const { up, upRate, down, downRate } = await recording(page);
    assert.ok(up.length > 2.5 * upRate && rms(up) > 300, `${up.length} samples, ${rms(up)}`);
    const same = correlation(up, upRate, down, downRate, 2);
    assert.ok(same > 0.9, `correlation ${same}`);
  } finally {
    await own.close();
  }
});
