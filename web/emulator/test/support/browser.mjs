// Chromium for the tests of this page.

import { chromium } from 'playwright-core';
import * as shared from '../../../ui/test/chromium.mjs';

export { executable, skip } from '../../../ui/test/chromium.mjs';

/** Starts it with these arguments besides; one may be `{ without: … }`, an argument that it is not to have. */
export const launch = (...more) => shared.launch(chromium, ...more);
