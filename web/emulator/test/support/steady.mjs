// Whether the machine let the page run. Sound is a matter of time: where a computer stands still for longer than a
// device may, nothing can be said of the device. What such a stretch shows is thrown away, and looked at once more; what
// is asserted of a steady stretch is exact.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that a thread may wait for a processor. The page has 100 at the sound card, and 60 in its buffer. */
const BORNE = 50;

const ATTEMPTS = 8;

const WATCH = `
  let [last, worst] = [performance.now(), 0];
  setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 5);
    last = now;
  }, 5);
  onmessage = ({ data }) => {
    if (data === 'tell') postMessage(worst);
    [last, worst] = [performance.now(), 0];
  };
`;

/** Sets up a thread of the page's own process that does nothing but look at the clock. */
export async function watched(page) {
  await page.route('**/watch.js', (route) => route.fulfill({ contentType: 'text/javascript', body: WATCH }));
  await page.evaluate(() => (window.watch = new Worker('watch.js')));
}

/** Times that the sound card stood still; it stands still too where no thread is given time to feed it. */
const stalls = async (page) => (await page.evaluate(() => window.emulator.report()))?.stalls ?? 0;

/** Asks the gateway that the page came from whether it lives, again and again; what that took at most. */
function asked(page) {
  let [worst, over] = [0, false];
  const end = (async () => {
    while (!over) {
      const from = performance.now();
      await (await fetch(new URL('/healthz', page.url()))).arrayBuffer();
      worst = Math.max(worst, performance.now() - from);
      await sleep(10);
    }
    return worst;
  })();
  // Whoever asks for it is told of an error; until then it is nobody's.
  end.catch(() => {});
  return () => ((over = true), end);
}

/** Milliseconds that the page's process, the gateway's, or ours, stood still at most while `act` ran. */
async function standstill(page, act) {
  let [last, worst] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 5);
    last = now;
  }, 5);
  await page.evaluate(() => window.watch.postMessage('begin'));
  const before = await stalls(page);
  const gateway = asked(page);
  const found = await act().finally(gateway);
  const theirs = await page.evaluate(
    () =>
      new Promise((resolve) => {
        window.watch.onmessage = ({ data }) => resolve(data);
        window.watch.postMessage('tell');
      }),
  );
  clearInterval(timer);
  const card = (await stalls(page)) - before;
  return [found, Math.max(worst, theirs, await gateway(), card > 0 ? BORNE : 0)];
}

/** What `act` found in a stretch in which the machine was steady. */
export async function steady(t, page, act) {
  const waits = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const [found, worst] = await standstill(page, act);
    if (worst < BORNE) return found;
    waits.push(Math.round(worst));
    t.diagnostic(`the machine stood still for ${Math.round(worst)} ms or more: looked at once more`);
    await sleep(500 * attempt);
  }
  assert.fail(`this machine is too busy for sound: it stood still for ${waits.join(', ')} ms or more, and ${BORNE} are borne`);
}
