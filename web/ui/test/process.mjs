// Programs that tests start: said what they say, waited for with an end, gone when the test is.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const binary = process.env.SIDETONE_BINARY;
export const skip = binary ? false : 'SIDETONE_BINARY is not set: run `cargo xtask test`';

/** How long a gateway may take to start. */
const PATIENCE = 20_000;

/** Where there is no sidetone.toml. */
const cwd = fileURLToPath(new URL('.', import.meta.url));

/** Those that run: none outlives a test that was ended before its end. */
const running = new Set();
process.once('exit', () => running.forEach((one) => one.kill('SIGKILL')));

/** A run of the command line, `sidetone ARGS`. */
export class Run {
  said = '';
  #process;

  constructor(args, env = {}) {
    this.#process = spawn(binary, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, ...env } });
    running.add(this.#process);
    this.#process.once('exit', () => running.delete(this.#process));
    this.#process.stdout.on('data', (data) => (this.said += data));
  }

  get ended() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Waits until it has said so. */
  async until(pattern) {
    const late = Date.now() + PATIENCE;
    while (!pattern.test(this.said)) {
      if (this.ended || Date.now() > late) throw new Error(`it ${this.ended ? 'ended' : 'took too long'}; it said: ${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.said.match(pattern);
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** Ends it, by default as a crash does. */
  async kill(signal = 'SIGKILL') {
    if (this.ended) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill(signal);
    await gone;
  }
}

/** `sidetone serve` on ports of the system, or on those of an earlier one. */
export class Gateway {
  #run;
  #token;

  /** `listen`: ports by setting; `off` where it does not listen. */
  static async start({ args = [], env = {}, listen = {}, token } = {}) {
    const gateway = new this();
    const ports = { 'mqtt-listen': 0, 'web-listen': 'off', 'web-transport-listen': 'off', 'udp-listen': 0, 'http-listen': 0, ...listen };
    const flags = Object.entries(ports).map(([name, port]) => `--${name}=${port === 'off' ? port : `127.0.0.1:${port}`}`);
    gateway.#token = token;
    gateway.#run = new Run(['serve', '--log-level=warn', ...flags, ...args], { ...env, ...(token ? { SIDETONE_HTTP_TOKEN: token } : {}) });
    await gateway.#run.until(/settings from/);
    return gateway;
  }

  #port(label) {
    return Number(this.#run.said.match(new RegExp(`^\\s*${label}\\s+\\w+://127\\.0\\.0\\.1:(\\d+)`, 'm'))?.[1]);
  }

  get http() {
    return this.#port('operators');
  }

  get mqtt() {
    return this.#port('MQTT');
  }

  get web() {
    return this.#port('WebSocket');
  }

  /** Address of a page or of the API. */
  at(path) {
    return `http://127.0.0.1:${this.http}${path}`;
  }

  async ask(path, init = {}) {
    const headers = this.#token ? { authorization: `Bearer ${this.#token}` } : {};
    const answer = await fetch(this.at(path), { ...init, headers: { ...headers, ...init.headers } });
    return answer.json();
  }

  /** Virtual devices that call it, for at most an hour. */
  fleet(devices, ...args) {
    return new Run(['fleet', '--quiet', `--gateway=mqtt://127.0.0.1:${this.mqtt}`, `--devices=${devices}`, '--duration=1h', '--listeners=0', ...args]);
  }

  signal(name) {
    this.#run.signal(name);
  }

  kill(signal) {
    return this.#run.kill(signal);
  }
}
