// The page by itself: what it says where something is lacking, whom it shuts out, how large it is.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { launch, skip as noBrowser } from './browser.mjs';
import { Gateway, skip as noGateway } from './gateway.mjs';
import { activity, connected, notices, until } from './page.mjs';

const skip = noBrowser || noGateway;
const dist = new URL('../dist/', import.meta.url);
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let gateway, browser;
before(async () => {
  if (skip) return;
  gateway = await Gateway.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.kill();
});

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
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(gateway.page);
  await until(page, () => window.emulator !== undefined && window.emulator.devices[0].sha256 !== '');
  const go = async (name) => {
    for (let presses = 0; presses < 60; presses++) {
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
  await activity(page, 'listening');
  await page.waitForTimeout(800);
  await page.keyboard.up(' ');
  await activity(page, 'speaking');
  await activity(page, 'ready');
  await go('Goodbye');
  await page.keyboard.press('Enter');
  await activity(page, 'idle');
  // Wherever the focus is, the space bar is the button.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.down(' ');
  await activity(page, 'listening');
  await page.keyboard.up(' ');
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious, ${colorScheme}`, { skip }, async (t) => {
    const context = await browser.newContext({ colorScheme, bypassCSP: true });
    const page = await connected(t, context, gateway.page);
    await page.evaluate(() => window.emulator.listen());
    await activity(page, 'listening');
    await page.waitForTimeout(700);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run());
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
  });
}

test('four devices side by side have addresses of their own, and all connect', { skip }, async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`${gateway.page}?devices=4&source=tone`);
  await until(page, () => window.emulator !== undefined && window.emulator.devices.every(({ sha256 }) => sha256 !== ''));
  for (const device of await page.locator('.device').all()) await device.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('button', { name: 'Disconnect' }).nth(3).waitFor();
  await until(page, () => window.emulator.devices.every(({ activity }) => activity === 'idle'));
  const macs = await page.evaluate(() => window.emulator.devices.map(({ settings }) => settings.mac));
  assert.equal(new Set(macs).size, 4);
  assert.equal((await gateway.stats()).devices, 4);
});

test('the link repeats the settings, without secrets', { skip }, async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`${gateway.page}?mode=auto&down.loss=7&frame=20&nonsense=1&password=no`);
  await until(page, () => window.emulator !== undefined);
  const settings = await page.evaluate(() => window.emulator.devices[0].settings);
  assert.deepEqual([settings.mode, settings.down.loss, settings.frame, settings.password], ['auto', 7, 20, '']);
  await page.evaluate(() => window.emulator.devices[0].settings.signatureKey = 'secret');
  await page.getByLabel('Jitter').last().fill('30');
  const link = new URLSearchParams((await page.locator('#link').getAttribute('href')).slice(1));
  assert.deepEqual([link.get('mode'), link.get('down.loss'), link.get('down.jitter'), link.get('signatureKey')], ['auto', '7', '30', null]);
});

test('a microphone that is not allowed is said so', { skip }, async (t) => {
  const own = await launch('--deny-permission-prompts');
  try {
    const page = await connected(t, await own.newContext(), gateway.page, 'source=microphone');
    await page.getByRole('alert').filter({ hasText: 'The microphone was not allowed.' }).waitFor();
  } finally {
    await own.close();
  }
});

test('over plain HTTP from another host it says what is lacking, and calls all the same', { skip }, async (t) => {
  const own = await launch('--host-resolver-rules=MAP device.test 127.0.0.1');
  try {
    const page = await own.newPage();
    await page.route('http://device.test/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      if (name === 'gateway.json') return route.fulfill({ status: 404, body: '' });
      const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm' };
      const contentType = types[name.split('.').at(-1)] ?? 'application/octet-stream';
      return route.fulfill({ body: await readFile(new URL(name, dist)), contentType });
    });
    await page.goto('http://device.test/?source=tone');
    await page.getByText(/This page came over plain HTTP from device\.test/).waitFor();
    await until(page, () => window.emulator !== undefined);
    assert.deepEqual(await notices(page), []);
  } finally {
    await own.close();
  }
});

test('a browser without WebTransport takes a WebSocket, and says so', { skip }, async (t) => {
  const context = await browser.newContext();
  const page = await connected(t, context, gateway.page, 'webTransport=https://127.0.0.1:1/media');
  await page.evaluate(() => window.emulator.listen());
  await page.getByRole('alert').filter({ hasText: 'audio goes through a WebSocket instead' }).waitFor({ timeout: 20_000 });
  await page.getByText(/audio: WebSocket/).waitFor();
});

test('Chromium’s own Opus decodes our packets, and we decode its', { skip }, async (t) => {
  const { Decoder, load } = await import('@sidetone/media');
  const { correlation } = await import('./sound.mjs');
  const page = await connected(t, await browser.newContext(), gateway.page, 'bitrate=48000');
  await page.evaluate(() => window.emulator.listen());
  await activity(page, 'listening');
  await page.waitForTimeout(2000);
  await page.evaluate(() => window.emulator.stop());
  await activity(page, 'speaking');
  const theirs = await page.evaluate(async () => {
    const device = window.emulator.devices[0];
    const sent = device.log.filter(({ kind, direction }) => kind === 'audio' && direction === 'up');
    const packets = await Promise.all(sent.map(async ({ number }) => (await device.inspect(number)).payload));
    const samples = [];
    const decoder = new AudioDecoder({
      output: (data) => {
        const piece = new Float32Array(data.numberOfFrames);
        data.copyTo(piece, { planeIndex: 0, format: 'f32-planar' });
        samples.push(...piece);
        data.close();
      },
      error: (error) => samples.push(String(error)),
    });
    decoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1 });
    packets.forEach((data, n) => decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: n * 60_000, data })));
    await decoder.flush();
    const { up, upRate } = await window.emulator.recording();

    const chunks = [];
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        chunks.push([...bytes]);
      },
      error: (error) => chunks.push(String(error)),
    });
    encoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1, bitrate: 32000 });
    const data = Float32Array.from({ length: 48000 }, (_, n) => 0.4 * Math.sin((2 * Math.PI * 440 * n) / 48000));
    encoder.encode(new AudioData({ format: 'f32', sampleRate: 48000, numberOfFrames: 48000, numberOfChannels: 1, timestamp: 0, data }));
    await encoder.flush();
    return { packets: packets.length, samples, up: [...up], upRate, chunks };
  });
  assert.ok(theirs.packets > 25);
  const theirsFit = correlation(theirs.up, theirs.upRate, theirs.samples, 48000, 0.2);
  assert.ok(theirsFit > 0.9, `they decode ours: ${theirsFit}, ${theirs.samples.length} samples of ${theirs.packets} packets`);
  const decoder = Decoder.open((await load()).sandbox(), 48000);
  const ours = theirs.chunks.flatMap((chunk) => [...decoder.decode(Uint8Array.from(chunk))]);
  const tone = Float64Array.from({ length: 48000 }, (_, n) => Math.sin((2 * Math.PI * 440 * n) / 48000));
  const oursFit = correlation(tone, 48000, ours, 48000, 0.2);
  assert.ok(oursFit > 0.95, `we decode theirs: ${oursFit}`);
});
