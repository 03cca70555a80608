// What a file of tests has to itself: a gateway, and a browser with a fresh profile.

import { after, before } from 'node:test';
import { launch, skip as noBrowser } from './browser.mjs';
import { Gateway, skip as noGateway } from './gateway.mjs';

export const skip = noBrowser || noGateway;

/** Filled before the first test, emptied after the last: `{ gateway, browser, context }`. */
export function stage() {
  const stage = {};
  before(async () => {
    if (skip) return;
    stage.gateway = await Gateway.start();
    stage.browser = await launch();
    stage.context = await stage.browser.newContext();
  });
  after(async () => {
    await stage.browser?.close();
    await stage.gateway?.kill();
  });
  return stage;
}
