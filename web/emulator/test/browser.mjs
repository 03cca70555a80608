// Chromium for the tests: Debian's, or the one that SIDETONE_CHROMIUM names. A fresh profile each.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const CANDIDATES = [process.env.SIDETONE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const executable = CANDIDATES.find((file) => file && existsSync(file));
export const skip = executable ? false : 'no Chromium: install the package chromium, or name one in SIDETONE_CHROMIUM';

export function launch(...args) {
  return chromium.launch({
    executablePath: executable,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      ...args,
    ],
  });
}
