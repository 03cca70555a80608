// What the page says where something is lacking: one sentence each, and what still goes goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './support/browser.mjs';
import { serve } from './support/files.mjs';
import { Gateway } from './support/gateway.mjs';
import { activity, connected, notices, opened, reached, until } from './support/page.mjs';
import { skip, stage } from './support/stage.mjs';

const on = stage();
const dist = new URL('../dist/', import.meta.url);

const alerted = (page, text) => page.getByRole('alert').filter({ hasText: text }).first().waitFor();

test('a microphone that is not allowed', { skip }, async (t) => {
  const own = await launch('--deny-permission-prompts');
  t.after(() => own.close());
  const page = await connected(t, own, on.gateway.page, 'source=microphone');
  await alerted(page, 'The microphone was not allowed. Allow it in the address bar');
  // Once it is allowed, to talk is enough.
  await page.context().grantPermissions(['microphone'], { origin: new URL(on.gateway.page).origin });
  await page.evaluate(() => window.emulator.listen());
  await reached(page, ({ sent }) => sent >= 5);
  await page.evaluate(() => window.emulator.hangup());
  await activity(page, 'idle');
  // Another source, and one can talk.
  await page.getByLabel('Speech from').selectOption('tone');
  await page.evaluate(() => window.emulator.listen());
  await reached(page, ({ sent }) => sent >= 5);
});

test('no microphone', { skip }, async (t) => {
  // No fake one, and no sound system to ask for a real one.
  const own = await launch({ without: '--use-fake-device-for-media-stream' }, '--use-fake-ui-for-media-stream');
  t.after(() => own.close());
  const page = await connected(t, own, on.gateway.page, 'source=microphone');
  await alerted(page, 'There is no microphone. Plug one in, or choose another source.');
});

test('a microphone that is unplugged, and plugged in again', { skip }, async (t) => {
  const own = await launch('--use-fake-ui-for-media-stream');
  t.after(() => own.close());
  const context = await own.newContext();
  // No browser lets a test pull a plug: what it does when one is pulled is done to the track.
  await context.addInitScript(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => (window.microphone = await ask(wanted));
  });
  const page = await connected(t, context, on.gateway.page, 'source=microphone&mode=realtime');
  await page.evaluate(() => window.emulator.listen());
  await reached(page, ({ sent }) => sent >= 5);
  await page.evaluate(() => {
    const [track] = window.microphone.getTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await alerted(page, 'The microphone is gone: unplugged, or no longer allowed. Talk again when it is back, or choose another source.');
  await page.evaluate(() => window.emulator.hangup());
  await activity(page, 'idle');
  await page.evaluate(() => window.emulator.listen());
  await reached(page, ({ sent }) => sent >= 5);
});

test('plain HTTP from another host', { skip }, async (t) => {
  const own = await launch('--host-resolver-rules=MAP device.test 127.0.0.1');
  t.after(() => own.close());
  const files = await serve(dist);
  t.after(() => files.close());
  const page = await own.newPage();
  page.setDefaultTimeout(45_000);
  const origin = `http://device.test:${new URL(files.address).port}`;
  const query = (web) => `source=tone&transport=mqtt-websocket&mode=realtime&gateway=ws://device.test:${web}`;
  // A gateway lets in pages of this machine, where nothing else is said.
  await page.goto(`${origin}/?${query(on.gateway.web)}`);
  await until(page, () => window.emulator !== undefined);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await alerted(page, `lets no page from ${origin} in`);
  const friendly = await Gateway.start({}, `--web-origins=${origin}`);
  t.after(() => friendly.kill());
  await page.goto(`${origin}/?${query(friendly.web)}`);
  await page.getByText(/This page came over plain HTTP from device\.test/).waitFor();
  await until(page, () => window.emulator !== undefined);
  // It calls all the same; what would be heard is recorded.
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await activity(page, 'idle');
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await reached(page, ({ down }) => down.played >= 10);
  assert.deepEqual(await notices(page), []);
});

test('no WebTransport in this browser', { skip }, async (t) => {
  // As Safari was until 26.4. What a worker lacks has to be taken away in the worker.
  const without = (name, body) => (name.includes('/worker-') ? `delete globalThis.WebTransport;\n${body}` : body);
  const files = await serve(dist, without);
  t.after(() => files.close());
  const query = `source=tone&gateway=ws://127.0.0.1:${on.gateway.web}&webTransport=https://127.0.0.1:1/media`;
  const page = await connected(t, on.browser, files.address, query);
  await page.evaluate(() => window.emulator.listen());
  await alerted(page, 'This browser has no WebTransport: audio goes through a WebSocket instead.');
  await page.getByText(/audio: WebSocket/).waitFor();
});

test('datagrams that are written as in Safari', { skip }, async (t) => {
  // It has the standard's `createWritable()`, and no `writable`.
  const asInSafari = `
    const { prototype } = WebTransportDatagramDuplexStream;
    const { get } = Object.getOwnPropertyDescriptor(prototype, 'writable');
    delete prototype.writable;
    prototype.createWritable = function () { return get.call(this); };\n`;
  const files = await serve(dist, (name, body) => (name.includes('/worker-') ? asInSafari + body : body));
  t.after(() => files.close());
  const { port, sha256 } = (await (await fetch(`${on.gateway.page}gateway.json`)).json()).webTransport;
  const query = new URLSearchParams({
    source: 'tone',
    mode: 'realtime',
    gateway: `ws://127.0.0.1:${on.gateway.web}`,
    webTransport: `https://127.0.0.1:${port}/media`,
    certificate: sha256,
  });
  const page = await connected(t, on.browser, files.address, `${query}`);
  await page.evaluate(() => window.emulator.listen());
  await page.getByText(/audio: WebTransport/).waitFor();
  await reached(page, ({ sent, down }) => sent >= 5 && down.played >= 5);
  assert.deepEqual(await notices(page), []);
});

test('a WebTransport address where nobody is', { skip }, async (t) => {
  const page = await connected(t, on.browser, on.gateway.page, 'webTransport=https://127.0.0.1:1/media&source=tone');
  await page.evaluate(() => window.emulator.listen());
  await alerted(page, 'audio goes through a WebSocket instead');
  await page.getByText(/audio: WebSocket/).waitFor();
});

test('no gateway', { skip }, async (t) => {
  const page = await opened(t, on.browser, on.gateway.page, 'gateway=ws://127.0.0.1:1');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await alerted(page, 'The connection to the gateway is gone: ws://127.0.0.1:1 cannot be reached');
});

test('an address, or an identity, that cannot be', { skip }, async (t) => {
  for (const [query, why] of [
    ['gateway=javascript:alert(1)', 'the gateway\'s address “javascript:alert(1)” is none: it is like ws://127.0.0.1:8000 or wss://voice.example'],
    ['gateway=', 'the gateway\'s address is empty'],
    [`uuid=${'u'.repeat(200)}`, 'client id of 230 bytes, 128 are allowed'],
    ['group=a%2Fb', 'client id'],
  ]) {
    const page = await opened(t, on.browser, on.gateway.page, query);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await alerted(page, `No connection: ${why}`);
    await page.getByRole('button', { name: 'Connect', exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.emulator.devices[0].activity), 'off');
  }
});

test('sound before the first click', { skip }, async (t) => {
  const own = await launch('--autoplay-policy=document-user-activation-required');
  t.after(() => own.close());
  const page = await own.newPage();
  // What a test does on a page counts as a click. So the page connects by itself, and tells what it says.
  await page.addInitScript(() => {
    const timer = setInterval(() => {
      if (!window.emulator) return;
      clearInterval(timer);
      void window.emulator.connect();
      setInterval(() => console.log(JSON.stringify(window.emulator.devices[0].notices)), 100);
    }, 10);
  });
  const said = page.waitForEvent('console', { predicate: (message) => message.text().includes('plays no sound before you have clicked'), timeout: 45_000 });
  await page.goto(`${on.gateway.page}?mac=02:00:00:00:02:02&source=tone&mode=realtime`);
  await said;
  await activity(page, 'idle');
  // It calls all the same; and at the first click it is heard.
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await reached(page, ({ down }) => down.played >= 10);
});
