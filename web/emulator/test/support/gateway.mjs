// The gateway that the page is tested against, with this checkout's page.

import { fileURLToPath } from 'node:url';
import * as process from '../../../ui/test/process.mjs';

export { skip } from '../../../ui/test/process.mjs';

const PAGE = fileURLToPath(new URL('../../dist', import.meta.url));

/** What comes back is to be as near to what was said as Opus lets it. */
const SETTINGS = [`--http-device-page=${PAGE}`, '--audio-bitrate=48000', '--audio-application=audio'];

export class Gateway extends process.Gateway {
  /** Starts on free ports, or on those of an earlier one; with these settings besides. */
  static start({ web = 0, http = 0 } = {}, ...more) {
    const listen = { 'mqtt-listen': 'off', 'web-listen': web, 'http-listen': http, 'web-transport-listen': 0 };
    return super.start({ listen, args: [...SETTINGS, ...more] });
  }

  /** Address of the page. */
  get page() {
    return this.at('/device/');
  }

  stats() {
    return this.ask('/api/stats');
  }
}
