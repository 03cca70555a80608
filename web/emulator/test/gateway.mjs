// The gateway that the page is tested against: `sidetone serve`, as SIDETONE_BINARY names it, on ports of the system.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const binary = process.env.SIDETONE_BINARY;
export const skip = binary ? false : 'SIDETONE_BINARY is not set: run `cargo xtask test`';

const PAGE = fileURLToPath(new URL('../dist', import.meta.url));
const PATIENCE = 20_000;

export class Gateway {
  #process;
  web = 0;
  http = 0;

  /** Starts on free ports, or on those of an earlier one. */
  static async start({ web = 0, http = 0 } = {}) {
    const gateway = new Gateway();
    const listen = (name, port) => `--${name}=127.0.0.1:${port}`;
    gateway.#process = spawn(
      binary,
      ['serve', '--mqtt-listen=off', '--http-device-page', PAGE, '--log-level=warn', '--audio-bitrate=48000', '--audio-application=audio', listen('web-listen', web), listen('http-listen', http), listen('web-transport-listen', 0), listen('udp-listen', 0)],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: PAGE, env: { PATH: process.env.PATH } },
    );
    const said = await gateway.#until(/operators\s+http:\/\/127\.0\.0\.1:(\d+)/);
    gateway.http = Number(said.match(/operators\s+http:\/\/127\.0\.0\.1:(\d+)/)[1]);
    gateway.web = Number(said.match(/WebSocket\s+ws:\/\/127\.0\.0\.1:(\d+)/)[1]);
    return gateway;
  }

  /** Address of the page. */
  get page() {
    return `http://127.0.0.1:${this.http}/device/`;
  }

  async stats() {
    return (await fetch(`http://127.0.0.1:${this.http}/api/stats`)).json();
  }

  /** Ends it as a crash does. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  async #until(pattern) {
    let said = '';
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    try {
      for await (const data of this.#process.stdout) {
        said += data;
        if (pattern.test(said)) return said;
      }
    } finally {
      clearTimeout(timer);
    }
    throw new Error(`the gateway did not start: ${said}`);
  }
}
