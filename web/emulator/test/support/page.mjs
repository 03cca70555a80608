// What the tests do on the page. They wait for states, never for a time.

import { setTimeout as sleep } from 'node:timers/promises';

/** How long a state is waited for before a test gives up: far longer than it takes on a busy machine. */
const PATIENCE = 45_000;

/** Waits until `run`, in the page, is true; `wanted` is what it is given. */
export const until = (page, run, wanted = null) => page.waitForFunction(run, wanted, { timeout: PATIENCE, polling: 50 });

export const activity = (page, wanted) => until(page, (wanted) => window.emulator?.devices[0].activity === wanted, wanted);

let devices = 0;

/** Opens the page, with these settings in its address, and waits for the module; closed when the test ends. */
export async function opened(t, context, url, query = '') {
  const page = await context.newPage();
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  // Each is a device of its own: two of one address would push each other out.
  devices += 1;
  await page.goto(`${url}?mac=02:00:00:00:01:${devices.toString(16).padStart(2, '0')}&${query}`);
  await until(page, () => window.emulator !== undefined && window.emulator.devices.every(({ sha256 }) => sha256 !== ''));
  return page;
}

/** The same, and connected. */
export async function connected(t, context, url, query = '') {
  const page = await opened(t, context, url, query);
  await page.getByRole('button', { name: 'Connect', exact: true }).first().click();
  await activity(page, 'idle');
  return page;
}

/** The same, and in a call in which both talk at once. */
export async function calling(t, context, url, query = '') {
  const page = await connected(t, context, url, `mode=realtime&${query}`);
  await page.getByRole('button', { name: 'Talk', exact: true }).click();
  await activity(page, 'speaking');
  await played(page, 5);
  return page;
}

/** Waits until so many more frames were played. */
export async function played(page, frames) {
  const { down } = await statistics(page);
  await reached(page, ({ down }, wanted) => down.played >= wanted, down.played + frames);
}

/** Waits until what the worker has counted is so. Asked from here: the page lets no script make scripts. */
export async function reached(page, check, wanted) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const now = await statistics(page);
    if (now && check(now, wanted)) return;
    if (performance.now() > end) throw new Error(`not reached: ${check} of ${wanted}, with ${JSON.stringify(now)}`);
    await sleep(50);
  }
}

/** Holds the button until so many packets were sent, and waits until the answer was heard to its end. */
export async function talk(page, packets) {
  await hold(page, packets);
  await activity(page, 'speaking');
  await activity(page, 'ready');
  await reached(page, ({ playing }) => !playing);
}

export async function hold(page, packets) {
  const button = page.getByRole('button', { name: 'Hold to talk' });
  const box = await button.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await reached(page, ({ sent }, wanted) => sent >= wanted, packets);
  await page.mouse.up();
}

/** Statistics as they are now; all that happened before is in the log. */
export const statistics = (page) => page.evaluate(() => window.emulator.report());

/** What was said and heard, as arrays with their rates. */
export const recording = (page) =>
  page.evaluate(async () => {
    const { up, upRate, down, downRate } = await window.emulator.recording();
    return { up: [...up], upRate, down: [...down], downRate };
  });

export const notices = (page) => page.evaluate(() => window.emulator.devices[0].notices);

/** The lines of the timeline, as text. */
export const log = async (page) => {
  await statistics(page);
  return page.evaluate(() => window.emulator.devices[0].log.map(({ direction, text }) => `${direction} ${text}`));
};
