// A device's session on a thread of the pool: decrypt and decode in one operation, encode and encrypt in another. What a
// worker that ends may not take along (nonces, replay window, place) is kept here, and moves only forward.

import type { Quality, Received, SessionConfig, State, Stats } from '#media';
import { Busy, Closed } from './errors.js';
import type { Reply } from './messages.js';
import type { Seat } from './threads.js';

/** What a session asks of its pool. */
export interface Host {
  readonly operationTimeout: number;
  readonly queue: number;
  count(seat: Seat, started: bigint, error?: unknown): void;
  left(session: Session): void;
}

/** One session. Every operation is done in the order of the calls. */
export class Session {
  #seat: Seat;
  #host: Host;
  #key: Uint8Array;
  #state?: State;
  #closed = false;

  /** @internal Use `pool.openSession`. */
  constructor(seat: Seat, host: Host, key: Uint8Array, config: SessionConfig) {
    this.#seat = seat;
    this.#host = host;
    this.#key = copy(key);
    this.#state = config.resume;
    let quality = config.quality;
    this.#quality = (changed) => (quality = changed);
    seat.opens('session', () => ({
      part: 'session',
      key: copy(this.#key),
      config: { ...config, quality, resume: this.#state },
    }));
  }

  #quality: (quality: Quality) => void;

  /** The thread it lives on. */
  get threadId(): number {
    return this.#seat.threadId;
  }

  /** @internal Opens it now, to learn what is wrong with its settings. */
  open(milliseconds: number): Promise<void> {
    return this.#ask('open', [], milliseconds) as Promise<void>;
  }

  /** Takes one datagram in. `Refused`: it was dropped, and nothing but counters changed. */
  receive(datagram: Uint8Array): Promise<Received> {
    return this.#ask('receive', [copy(datagram)]) as Promise<Received>;
  }

  /** Takes PCM of any length, and keeps what fills no frame; resolves to the datagrams. `timestamp`: ms since the hello. */
  send(pcm: Int16Array | Uint8Array, timestamp: number): Promise<Uint8Array[]> {
    return this.#ask('send', [samples(pcm), timestamp]) as Promise<Uint8Array[]>;
  }

  /** Ends a talk spurt: the last partial frame, filled up with silence. */
  flush(timestamp: number): Promise<Uint8Array[]> {
    return this.#ask('flush', [timestamp]) as Promise<Uint8Array[]>;
  }

  /** Seals a payload made elsewhere. */
  sendPayload(payload: Uint8Array, timestamp: number): Promise<Uint8Array> {
    return this.#ask('sendPayload', [copy(payload), timestamp]) as Promise<Uint8Array>;
  }

  /** Drops what waits: the speaker was interrupted. */
  discard(): Promise<void> {
    return this.#ask('discard', []) as Promise<void>;
  }

  async setQuality(quality: Quality): Promise<void> {
    await this.#ask('setQuality', [quality]);
    this.#quality(quality);
  }

  /** Counts since the instance was opened. */
  stats(): Promise<Stats> {
    return this.#ask('stats', []) as Promise<Stats>;
  }

  /** Where it stands: what another session of the same key would have to continue from. */
  state(): State | undefined {
    return this.#state;
  }

  /** Closes it: the module zeroises its key, and so does this. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#seat.close();
    this.#key.fill(0);
    this.#host.left(this);
  }

  async #ask(operation: string, args: unknown[], milliseconds = this.#host.operationTimeout): Promise<unknown> {
    if (this.#closed) throw new Closed('the session');
    if (this.#seat.pending >= this.#host.queue) {
      throw new Busy(`${this.#host.queue} operations of this session are in flight: the most there may be`);
    }
    const started = process.hrtime.bigint();
    try {
      const value = await this.#seat.ask('session', operation, args, milliseconds, (reply) => this.#note(reply));
      this.#host.count(this.#seat, started);
      return value;
    } catch (error) {
      this.#host.count(this.#seat, started, error);
      throw error;
    }
  }

  // Also of an answer that came too late: its datagrams never leave, and its nonces are used all the same.
  #note({ state }: Reply): void {
    if (state) this.#state = state;
  }
}

/** Of its own memory: a `Buffer` is a view of a pool of 8 KiB, which would be copied whole. */
export function copy(bytes: unknown): Uint8Array {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes.slice(0));
  if (!(bytes instanceof Uint8Array)) throw new TypeError('bytes must be a Buffer or a Uint8Array');
  return new Uint8Array(bytes);
}

/** PCM as samples: little-endian bytes, as sockets and files give them, or samples already. */
export function samples(pcm: unknown): Int16Array {
  if (pcm instanceof Int16Array) return pcm.slice();
  if (pcm instanceof Uint8Array) {
    if (pcm.length % 2 !== 0) throw new RangeError(`PCM of ${pcm.length} bytes is no number of 16-bit samples`);
    return new Int16Array(new Uint8Array(pcm).buffer);
  }
  throw new TypeError('PCM must be a Buffer of little-endian 16-bit samples, or an Int16Array');
}
