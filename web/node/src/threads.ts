// The threads of a process. Pools share them: a gateway that makes one pool a device has as many threads as its largest
// pool asked for, not that many a device. A stream is seated on one thread, and stays there.

import type { Part, Opening, Reply } from './messages.js';
import { Thread } from './thread.js';

/** Who holds threads: a pool. */
export interface Holder {
  readonly threads: number;
}

const groups = new Map<string, Threads>();
let streams = 0;

/** The threads of one worker script. */
export class Threads {
  #script: string;
  #initTimeout: number;
  #holders = new Set<Holder>();
  #threads: Thread[] = [];

  private constructor(script: string, initTimeout: number) {
    this.#script = script;
    this.#initTimeout = initTimeout;
  }

  /** The threads of a script, made where they are not there yet. */
  static hold(script: string, initTimeout: number, holder: Holder): Threads {
    let group = groups.get(script);
    if (!group) {
      group = new Threads(script, initTimeout);
      groups.set(script, group);
    }
    while (group.#threads.length < holder.threads) group.#threads.push(new Thread(script, initTimeout));
    group.#holders.add(holder);
    return group;
  }

  /** Lets go; with the last holder the threads end. */
  async release(holder: Holder): Promise<void> {
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return;
    groups.delete(this.#script);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Those that a holder uses. */
  of(holder: Holder): readonly Thread[] {
    return this.#threads.slice(0, holder.threads);
  }

  /** A seat on the thread of a holder that has the fewest streams. */
  seat(holder: Holder): Seat {
    const [first, ...others] = this.of(holder) as [Thread, ...Thread[]];
    const thread = others.reduce((least, other) => (other.streams < least.streams ? other : least), first);
    return new Seat(thread);
  }
}

/** Where a stream is at home: one thread, and there one codec of each kind. Opened again where the thread was. */
export class Seat {
  readonly #id = ++streams;
  readonly #thread: Thread;
  #openings = new Map<Part, { opening: () => Opening; generation: number }>();
  #closed = false;
  /** Operations in hand. */
  pending = 0;

  constructor(thread: Thread) {
    this.#thread = thread;
    thread.streams += 1;
  }

  get threadId(): number {
    return this.#thread.threadId;
  }

  /** How a part is opened from now on, beginning with the next operation. */
  opens(part: Part, opening: () => Opening): void {
    this.#openings.set(part, { opening, generation: 0 });
  }

  /** Whether a part can be used. */
  has(part: Part): boolean {
    return this.#openings.has(part);
  }

  /** One operation. `reply` sees the answer even after the deadline. */
  async ask(part: Part, operation: string, args: unknown[], milliseconds: number, reply?: (reply: Reply) => void): Promise<unknown> {
    const opened = this.#openings.get(part);
    let open: Opening | undefined;
    if (opened && opened.generation !== this.#thread.generation) {
      opened.generation = this.#thread.generation;
      open = opened.opening();
    }
    this.pending += 1;
    try {
      return await this.#thread.ask({ stream: this.#id, part, operation, args, open }, milliseconds, reply);
    } catch (error) {
      // Perhaps it was not opened: the next operation tries again.
      if (open && opened) opened.generation = 0;
      throw error;
    } finally {
      this.pending -= 1;
      // The message holds a copy of the key, and the engine another, which is beyond reach.
      if (open?.part === 'session') open.key.fill(0);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#thread.streams -= 1;
    this.#thread.close(this.#id);
  }
}
