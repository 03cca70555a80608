// Pictures of both pages, light and dark, wide and as wide as a phone, with real calls behind them: to be looked at.
//
//     node screenshots.mjs FOLDER [MINUTES [DOCS]]
//
// MINUTES: how long the fleet calls before, so that graphs show something. DOCS: the folder of the README's two pictures.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Gateway } from '../ui/test/process.mjs';
import { launch } from './test/support/browser.mjs';

const [folder = 'out/screenshots', minutes = '2', docs] = process.argv.slice(2);
const WIDE = { width: 1360, height: 850 };
const PHONE = { width: 390, height: 844 };
const page = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Largest picture of the README, in bytes. */
const LARGEST = 150_000;

const RULES = `
[[alerts.rules]]
name = "packets-lost"
metric = "loss_percent"
above = 1.0
for = 20
`;

/** A picture; where `file` is for the README, as WebP of what is in view. */
async function shoot(view, file) {
  if (!file.endsWith('.webp')) {
    await view.screenshot({ path: file, fullPage: true });
    return;
  }
  const session = await view.context().newCDPSession(view);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length > LARGEST) throw new Error(`${file} has ${bytes.length} bytes, more than ${LARGEST}`);
  await writeFile(file, bytes);
  console.log(`${file}: ${bytes.length} bytes`);
}

/** A device that talks, in the browser. */
async function talking(context, gateway, mac) {
  const view = await context.newPage();
  await view.goto(gateway.at(`/device/?mac=${mac}&mode=realtime&source=tone&down.loss=3&up.loss=2`));
  await view.waitForFunction(() => window.emulator?.devices[0]?.sha256);
  await view.evaluate(() => window.emulator.connect());
  await view.waitForFunction(() => window.emulator.devices[0].activity === 'idle');
  await view.evaluate(() => window.emulator.listen('realtime'));
  return view;
}

const scratch = await mkdtemp(join(tmpdir(), 'sidetone-'));
const settings = join(scratch, 'sidetone.toml');
await writeFile(settings, RULES);
await mkdir(folder, { recursive: true });
const args = [`--config=${settings}`, `--http-dashboard-page=${page('dist')}`, `--http-device-page=${page('../emulator/dist')}`];
const gateway = await Gateway.start({ args, listen: { 'web-listen': 0, 'web-transport-listen': 0 } });
const fleet = gateway.fleet(12, '--kind=improved', '--loss=2.5', '--jitter=20', '--call-length=45s', '--pause=6s');
const browser = await launch();
try {
  console.log(`${minutes} minutes of calls …`);
  await new Promise((resolve) => setTimeout(resolve, Number(minutes) * 60_000));
  let devices = 0;
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport] of [['wide', WIDE], ['phone', PHONE]]) {
      const context = await browser.newContext({ colorScheme, viewport, deviceScaleFactor: 1 });
      const view = await context.newPage();
      const [{ id }] = (await gateway.ask('/api/sessions')).sessions;
      for (const [what, hash] of [['overview', '#/?range=15m'], ['sessions', '#/sessions'], ['session', `#/sessions/${id}`], ['alerts', '#/alerts']]) {
        await view.goto(gateway.at(`/${hash}`));
        // A few calls begin and end meanwhile.
        await view.waitForTimeout(what === 'overview' ? 15_000 : 3_000);
        await shoot(view, join(folder, `dashboard-${what}-${colorScheme}-${name}.png`));
        if (docs && what === 'overview' && colorScheme === 'light' && name === 'wide') await shoot(view, join(docs, 'dashboard.webp'));
      }
      devices += 1;
      const device = await talking(context, gateway, `02:00:00:00:99:0${devices}`);
      await device.waitForTimeout(15_000);
      await shoot(device, join(folder, `device-${colorScheme}-${name}.png`));
      if (docs && colorScheme === 'dark' && name === 'wide') await shoot(device, join(docs, 'device.webp'));
      await context.close();
    }
  }
} finally {
  await browser.close();
  await fleet.kill('SIGTERM');
  await gateway.kill('SIGTERM');
  await rm(scratch, { recursive: true });
}
console.log(`pictures are in ${folder}`);
