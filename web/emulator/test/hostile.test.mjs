// A gateway that means harm, or is broken: what it says is shown as text, and no more of it than there is room for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, skip } from './support/browser.mjs';
import { serve } from './support/files.mjs';
import { saying } from './support/hostile.mjs';
import { activity, connected, log } from './support/page.mjs';

const HELLO = { type: 'hello', transport: 'websocket', session_id: 's', audio_params: { format: 'opus', sample_rate: 24000, channels: 1, frame_duration: 60 } };
const MARKUP = '<img src=x onerror="window.owned = true"><script>window.owned = true</script>';

let browser, files;
before(async () => {
  if (skip) return;
  browser = await launch();
  files = await serve(new URL('../dist/', import.meta.url));
});
after(async () => {
  await browser?.close();
  await files?.close();
});

/** In a session with a server that says all of this after its hello, on a page as wide as a phone. */
async function called(t, ...messages) {
  const server = await saying(HELLO, ...messages);
  t.after(() => server.close());
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  t.after(() => context.close());
  const page = await connected(t, context, files.address, `source=tone&transport=websocket&gateway=${server.address}`);
  await page.evaluate(() => window.emulator.listen());
  return page;
}

test('markup is text, and words without an end are cut', { skip }, async (t) => {
  const page = await called(
    t,
    { type: 'stt', session_id: 's', text: MARKUP },
    { type: 'tts', session_id: 's', state: 'start' },
    { type: 'tts', session_id: 's', state: 'sentence_start', text: 'y'.repeat(60_000) },
    { type: 'llm', session_id: 's', text: `${MARKUP}${'z'.repeat(5000)}`, emotion: 'w'.repeat(5000) },
    { type: 'alert', status: MARKUP, message: 'v'.repeat(5000), emotion: 'sad' },
    { type: MARKUP, session_id: 's', of: 'no known kind' },
  );
  await page.locator('.conversation').getByText('no known kind').waitFor();
  const said = await page.locator('.conversation li').allInnerTexts();
  assert.equal(said[0], `You\n${MARKUP}`);
  assert.match(said[1], /^Gateway\ny{2000} … \(60000 letters\)$/);
  assert.equal(said.length, 5);
  assert.ok(said.every(({ length }) => length < 3000), 'all are cut');
  assert.equal(await page.locator('.face').innerText(), 'w'.repeat(12), 'words are no face');
  assert.deepEqual(await page.evaluate(() => [window.owned, document.documentElement.scrollWidth, document.querySelectorAll('main img, main script').length]), [undefined, 390, 0]);
  assert.ok((await log(page)).every(({ length }) => length < 20_000));
  assert.deepEqual(page.problems, []);
});

test('what is no message is passed over, and questions that make no sense are answered', { skip }, async (t) => {
  const question = (payload) => ({ type: 'mcp', session_id: 's', payload });
  const page = await called(
    t,
    ...['', '{', '[]', 'null', '{"type":5}', '{"type":"tts"}', `{"type":"stt","text":"${'x'.repeat(1_000_000)}"}`],
    ...[null, 5, [], 'x', {}, { id: 1 }, { id: {}, method: {} }, { id: 2, method: 'tools/call', params: null }].map(question),
    question({ id: 3, method: 'x'.repeat(60_000) }),
    question({ id: 4, method: 'tools/list' }),
  );
  // The answer to the last.
  await page.waitForFunction(() => window.emulator.devices[0].log.some(({ direction, text }) => direction === 'up' && text.includes('self.get_device_status')));
  const lines = await log(page);
  assert.equal(lines.filter((line) => line.startsWith('here not understood: ')).length, 6, lines.filter((line) => line.startsWith('here')).join('\n'));
  const answers = lines.filter((line) => line.startsWith('up ') && line.includes('"jsonrpc"'));
  assert.deepEqual(answers.map((line) => line.match(/"code":-?\d+/)?.[0]), ['"code":-32601', '"code":-32601', '"code":-32602', '"code":-32601', undefined]);
  assert.equal(await page.evaluate(() => window.emulator.devices[0].activity), 'listening');
  assert.deepEqual(page.problems, []);
});

test('bytes that are no frame end the connection, and it is said', { skip }, async (t) => {
  const page = await called(t, Buffer.from([0, 0, 0xff, 0xff, 1]));
  await page.getByRole('alert').filter({ hasText: 'The connection to the gateway is gone: ' }).waitFor();
  await activity(page, 'offline');
  assert.deepEqual(page.problems, []);
});
