// Chromium for the tests: Debian's, or the one that SIDETONE_CHROMIUM names. A fresh profile each.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const CANDIDATES = [process.env.SIDETONE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executable = CANDIDATES.find((file) => file && existsSync(file));
export const skip = executable ? false : 'no Chromium: install the package chromium, or name one in SIDETONE_CHROMIUM';

export const launch = () =>
  chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds that is serious. */
export async function grave(page) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}
