// Chromium for the tests of pages: Debian's, or the one that SIDETONE_CHROMIUM names. A fresh profile each.

import { existsSync } from 'node:fs';

const CANDIDATES = [process.env.SIDETONE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const executable = CANDIDATES.find((file) => file && existsSync(file));
export const skip = executable ? false : 'no Chromium: install the package chromium, or name one in SIDETONE_CHROMIUM';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
];

// A file of tests that takes too long is told to end. Playwright takes that for the browser's end alone, and the process,
// with whatever still waits in it, would stay for ever.
process.once('SIGTERM', () => setTimeout(() => process.exit(143), 5000).unref());

/**
 * Starts it with these arguments besides; one may be `{ without: … }`, an argument that it is not to have. `chromium` is
 * Playwright's: each page has one of its own.
 */
export function launch(chromium, ...more) {
  const without = more.filter((one) => typeof one === 'object').map((one) => one.without);
  return chromium.launch({
    executablePath: executable,
    headless: true,
    args: [...ARGUMENTS.filter((one) => !without.includes(one)), ...more.filter((one) => typeof one === 'string')],
    // It asks no sound system of this machine.
    env: { ...process.env, PULSE_SERVER: 'none', ALSA_CONFIG_PATH: '/dev/null' },
  });
}
