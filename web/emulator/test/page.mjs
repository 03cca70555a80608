// What the tests do on the page.

/** Waits until `run`, in the page, is true of the first device. */
export const until = (page, run, timeout = 20_000) => page.waitForFunction(run, null, { timeout, polling: 50 });

export const activity = (page, wanted) =>
  page.waitForFunction((wanted) => window.emulator?.devices[0].activity === wanted, wanted, { timeout: 20_000, polling: 50 });

let devices = 0;

/** Opens the page, with these settings in its address, and connects; closed when the test ends. */
export async function connected(t, context, url, query = '') {
  const page = await context.newPage();
  t.after(() => page.close());
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  // Each is a device of its own: two of one address would push each other out.
  devices += 1;
  await page.goto(`${url}?mac=02:00:00:00:01:${devices.toString(16).padStart(2, '0')}&${query}`);
  await until(page, () => window.emulator !== undefined && window.emulator.devices[0].sha256 !== '');
  await page.getByRole('button', { name: 'Connect', exact: true }).first().click();
  await activity(page, 'idle');
  return page;
}

/** Holds the button for so long, and waits until the answer was played. */
export async function talk(page, ms) {
  await hold(page, ms);
  await activity(page, 'speaking');
  await activity(page, 'ready');
  // What waits is still played.
  await page.waitForTimeout(1000);
}

export async function hold(page, ms) {
  const button = page.getByRole('button', { name: 'Hold to talk' });
  const box = await button.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await activity(page, 'listening');
  await page.waitForTimeout(ms);
  await page.mouse.up();
}

/** Statistics as they are when the next report has come. */
export async function statistics(page) {
  await page.waitForTimeout(400);
  return page.evaluate(() => window.emulator.statistics);
}

/** What was said and heard, as arrays with their rates. */
export const recording = (page) =>
  page.evaluate(async () => {
    const { up, upRate, down, downRate } = await window.emulator.recording();
    return { up: [...up], upRate, down: [...down], downRate };
  });

export const notices = (page) => page.evaluate(() => window.emulator.devices[0].notices);
