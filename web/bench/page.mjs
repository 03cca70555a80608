// The module and other codecs in a page of Chromium, and what a call costs there. What `cargo xtask bench web` asks of
// it: see turns.mjs.

import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { launch } from '../emulator/test/support/browser.mjs';
import { serve } from '../emulator/test/support/files.mjs';
import { Gateway } from '../emulator/test/support/gateway.mjs';
import { activity, connected, played, reached, statistics } from '../emulator/test/support/page.mjs';
import { answer } from './turns.mjs';

/** Calls whose median is told. */
const CALLS = 7;

/** Seconds of a call in which the main thread is watched. */
const WATCHED = 10;

const files = await serve(new URL('../', import.meta.url));
const browser = await launch();
const page = await browser.newPage();
await page.route('**/lab', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><script type="module" src="/bench/page.js"></script>' }));
await page.route('**/input', async (route) => route.fulfill({ body: await readFile(pathToFileURL(input)) }));
let input;
await page.goto(`${files.address}lab`);
await page.waitForFunction(() => window.bench !== undefined);

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** A call from the page to a gateway on this machine that speaks back. */
async function call() {
  const gateway = await Gateway.start();
  const ends = [];
  try {
    const talking = await connected({ after: (end) => ends.push(end) }, await browser.newContext(), gateway.page, 'mode=realtime');
    const firsts = [];
    for (let n = 0; n < CALLS; n++) {
      await talking.getByRole('button', { name: 'Talk', exact: true }).click();
      await reached(talking, ({ firstAudio }) => firstAudio !== null);
      firsts.push((await statistics(talking)).firstAudio);
      if (n + 1 === CALLS) break;
      await talking.evaluate(() => window.emulator.hangup());
      await activity(talking, 'idle');
    }
    await played(talking, 10);
    const devtools = await talking.context().newCDPSession(talking);
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      const of = (name) => metrics.find((metric) => metric.name === name).value;
      return { task: of('TaskDuration'), script: of('ScriptDuration') };
    };
    const before = await busy();
    await new Promise((resolve) => setTimeout(resolve, WATCHED * 1000));
    const after = await busy();
    const { encodeMicros, decodeMicros } = await statistics(talking);
    return {
      first_audio_ms: median(firsts),
      main_thread_ms_a_second: ((after.task - before.task) * 1000) / WATCHED,
      main_thread_script_ms_a_second: ((after.script - before.script) * 1000) / WATCHED,
      call_encode_us: encodeMicros,
      call_decode_us: decodeMicros,
    };
  } finally {
    await Promise.all(ends.map((end) => end()));
    await gateway.kill();
  }
}

await answer({
  async prepare(given) {
    input = given.input;
    const variants = await page.evaluate((given) => window.bench.prepare(given), { ...given, input: '/input' });
    return Object.fromEntries(variants.map((variant) => [variant, () => page.evaluate((variant) => window.bench.pass(variant), variant)]));
  },
  figures: call,
});
await browser.close();
await files.close();
