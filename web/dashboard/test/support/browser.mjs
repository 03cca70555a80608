// Chromium for the tests of this page, and what axe says of it.

import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import * as shared from '../../../ui/test/chromium.mjs';

export { skip } from '../../../ui/test/chromium.mjs';

export const launch = () => shared.launch(chromium);

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds that is serious. */
export async function grave(page) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}
