// Calls from the page, in Chromium, to a gateway that runs: what is said comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './support/browser.mjs';
import { activity, connected, hold, log, notices, recording, statistics, talk } from './support/page.mjs';
import { skip, stage } from './support/stage.mjs';
import { correlation, rms } from './support/sound.mjs';
import { steady, watched } from './support/steady.mjs';

const on = stage();

for (const [name, query, carrier] of [
  ['WebTransport', 'transport=webtransport', 'WebTransport'],
  ['a WebSocket beside MQTT', 'transport=mqtt-websocket', 'WebSocket'],
  ['WebSocket alone, version 3', 'transport=websocket', 'WebSocket'],
  ['WebSocket alone, version 2', 'transport=websocket&version=2', 'WebSocket'],
  ['WebSocket alone, version 1', 'transport=websocket&version=1', 'WebSocket'],
]) {
  test(`what is said comes back through ${name}`, { skip }, async (t) => {
    const page = await connected(t, on.context, on.gateway.page, `${query}&bitrate=48000`);
    await watched(page);
    const now = await steady(t, page, async () => {
      // A session each, so that there is one answer to compare with.
      await page.evaluate(() => window.emulator.hangup());
      await activity(page, 'idle');
      await talk(page, 40);
      return statistics(page);
    });
    const { down, restarts, rejected } = now;
    const shown = await page.locator('.states').innerText();
    assert.match(shown, new RegExp(`audio: ${carrier}`), `${shown} ${await notices(page)}`);
    assert.ok(down.received >= 40, JSON.stringify(down));
    assert.equal(down.played, down.received, JSON.stringify(down));
    assert.deepEqual([down.lost, restarts, rejected], [0, 0, 0], JSON.stringify(down));
    const { up, upRate, down: heard, downRate } = await recording(page);
    const same = correlation(up, upRate, heard, downRate, 4);
    assert.ok(same > 0.9, `correlation ${same}`);
    await page.getByText(/s of speech/).first().waitFor();
    assert.deepEqual(page.problems, []);
  });
}

test('a microphone is heard', { skip }, async (t) => {
  const clip = new URL('../../../crates/fleet/assets/speech.wav', import.meta.url).pathname;
  const own = await launch('--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${clip}`);
  t.after(() => own.close());
  const page = await connected(t, await own.newContext(), on.gateway.page, 'source=microphone&bitrate=48000');
  await watched(page);
  // A source that was left and chosen again is heard once, and not twice.
  await page.getByLabel('Speech from').selectOption('tone');
  await page.getByLabel('Speech from').selectOption('microphone');
  const took = await steady(t, page, async () => {
    await page.evaluate(() => window.emulator.hangup());
    await activity(page, 'idle');
    const begun = performance.now();
    await talk(page, 50);
    return (performance.now() - begun) / 1000;
  });
  const { up, upRate, down, downRate } = await recording(page);
  assert.ok(up.length > 2.5 * upRate && rms(up) > 300, `${up.length} samples, ${rms(up)}`);
  assert.ok(up.length < (took + 0.5) * upRate, `${up.length} samples in ${took} s`);
  const same = correlation(up, upRate, down, downRate, 4);
  assert.ok(same > 0.9, `correlation ${same}`);
});

test('the page says that it runs the gateway’s module only where it compared them', { skip }, async (t) => {
  const page = await connected(t, on.context, on.gateway.page);
  const said = await page.locator('#module').innerText();
  assert.match(said, /the same as the gateway’s/);
  const { component } = await on.gateway.stats();
  assert.equal(await page.evaluate(() => window.emulator.devices[0].sha256), component.coreSha256);
  await page.route('**/gateway.json', (route) => route.fulfill({ json: { web: on.gateway.web, coreSha256: 'f'.repeat(64) } }));
  await page.reload();
  await page.getByText(/the gateway runs another \(ffffffffffff\)/).waitFor();
});

test('an interruption ends the speech, and goodbye ends the session', { skip }, async (t) => {
  const page = await connected(t, on.context, on.gateway.page);
  await hold(page, 40);
  await activity(page, 'speaking');
  await page.getByRole('button', { name: 'Interrupt' }).click();
  await activity(page, 'ready');
  await page.getByRole('button', { name: 'Goodbye' }).click();
  await activity(page, 'idle');
  const said = (await log(page)).filter((line) => line.startsWith('up ')).join();
  assert.ok(said.includes('"type":"abort"') && said.includes('"type":"goodbye"'), said);
});

test('a packet can be looked into, and no key shows', { skip }, async (t) => {
  const page = await connected(t, on.context, on.gateway.page);
  await talk(page, 10);
  await page.getByLabel('packets').check();
  await page.getByLabel('messages').uncheck();
  await page.getByLabel('states').uncheck();
  await page.locator('.line.audio').first().click();
  await page.locator('.inspection').getByText('sequence').waitFor();
  const shown = await page.locator('.inspection').innerText();
  for (const part of [/sequence\s+\d+/, /timestamp\s+\d+ ms/, /TOC\s+0x[0-9a-f]{2}/, /60 ms together/, /^0000  01 00/m]) assert.match(shown, part);
  await log(page);
  const session = await page.evaluate(() => JSON.stringify(window.emulator.session()));
  assert.ok(session.includes('"key\\":\\"…\\"'), 'the hello is there');
  assert.ok(!/key\\":\\"[0-9a-f]{32}/.test(session));
});
