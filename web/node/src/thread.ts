// One worker thread, as the main thread sees it: a bounded queue, a deadline for every operation, a fresh worker where the
// old one hung or ended.

import { Worker } from 'node:worker_threads';
import { Refused } from '#media';
import { Busy, Closed, Crashed, Failed, Timeout } from './errors.js';
import type { FromWorker, Reply, Request, ToWorker } from './messages.js';
import { modulesBeside } from './modules.js';

/** Most operations that wait for one thread; a stream has fewer. */
const MOST_WAITING = 512;
/** Longest wait before a worker that keeps ending is started again, ms. */
const LONGEST_WAIT = 1000;

interface Waiting {
  request: Request;
  milliseconds: number;
  timer: NodeJS.Timeout;
  /** Gone once the caller was told; the worker may still be at it. */
  settle?: { resolve(value: unknown): void; reject(error: Error): void };
  /** Where the session stands after it, whoever still waits. */
  reply?: (reply: Reply) => void;
}

/** A request without its number. */
export type Asked = Omit<Request, 'id'>;

/** Numbers of requests, unique in the process. */
let requests = 0;

/** A thread. What is opened in one generation of it is gone in the next. */
export class Thread {
  #script: string;
  #initTimeout: number;
  #worker?: Worker;
  #ready = false;
  #closed = false;
  #failures = 0;
  #restarting?: NodeJS.Timeout;
  /** In the order in which the worker does them. */
  #waiting = new Map<number, Waiting>();
  #watch?: NodeJS.Timeout;
  /** Counts the operations that the worker was at. */
  #turn = 0;
  /** Changes with each worker. */
  generation = 0;
  /** Workers started in the place of others. */
  restarts = 0;
  /** Streams seated here. */
  streams = 0;

  constructor(script: string, initTimeout: number) {
    this.#script = script;
    this.#initTimeout = initTimeout;
    this.#start();
  }

  /** Whether it takes work at once. */
  get active(): boolean {
    return this.#ready;
  }

  /** The thread's id, as node:worker_threads counts. */
  get threadId(): number {
    return this.#worker?.threadId ?? -1;
  }

  /** Sends one operation. `reply` sees the answer even after the deadline. */
  ask(asked: Asked, milliseconds: number, reply?: (reply: Reply) => void): Promise<unknown> {
    const worker = this.#worker;
    if (this.#closed) return Promise.reject(new Closed('the pool'));
    if (!worker) return Promise.reject(new Crashed('the worker keeps ending; it is started again within a second'));
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.reject(new Busy(`${MOST_WAITING} operations wait for this worker: the most there may be`));
    }
    const request: Request = { ...asked, id: ++requests };
    // A worker that is only starting is given the time for it.
    const limit = this.#ready ? milliseconds : Math.max(milliseconds, this.#initTimeout);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => setImmediate(() => this.#late(request.id)), limit);
      this.#waiting.set(request.id, { request, milliseconds: limit, timer, settle: { resolve, reject }, reply });
      if (this.#waiting.size === 1) this.#firstArrives();
      worker.postMessage(request satisfies ToWorker);
    });
  }

  /** Forgets a stream. */
  close(stream: number): void {
    this.#worker?.postMessage({ close: stream } satisfies ToWorker);
  }

  /** Ends the thread for good. */
  async terminate(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restarting);
    const worker = this.#worker;
    this.#end(() => new Closed('the pool'));
    await worker?.terminate();
  }

  #start(): void {
    this.generation += 1;
    this.#ready = false;
    const generation = this.generation;
    const worker = new Worker(this.#script, { workerData: modulesBeside(this.#script) });
    this.#worker = worker;
    const ended = (why: string): void => {
      if (generation === this.generation) this.#replace(why);
    };
    worker.on('message', (message: FromWorker) => {
      if (generation === this.generation) this.#hear(message);
    });
    worker.on('error', (error) => ended(`failed (${error.message})`));
    worker.on('exit', (code) => ended(`ended (exit code ${code})`));
    // An operation in hand keeps the process alive by its timer; an idle thread does not. After the listeners: they would
    // keep it alive again.
    worker.unref();
    this.#rewatch();
  }

  #hear(message: FromWorker): void {
    if ('ready' in message) {
      this.#ready = true;
      this.#firstArrives();
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    this.#failures = 0;
    clearTimeout(waiting.timer);
    this.#firstArrives();
    waiting.reply?.(message);
    if (message.error) waiting.settle?.reject(rebuilt(message.error));
    else waiting.settle?.resolve(message.value);
  }

  /** The deadline has passed, and the event loop has looked for an answer since. */
  #late(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    waiting.settle?.reject(new Timeout(id, waiting.milliseconds));
    waiting.settle = undefined;
  }

  #firstArrives(): void {
    this.#turn += 1;
    this.#rewatch();
  }

  /** Watches the operation that the worker is at: where it takes its whole time alone, the worker hangs. */
  #rewatch(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const [first] = this.#waiting.values();
    const limit = this.#ready ? first?.milliseconds : this.#initTimeout;
    if (limit === undefined) return;
    const [generation, turn] = [this.generation, this.#turn];
    this.#watch = setTimeout(
      () =>
        setImmediate(() => {
          const hangs = generation === this.generation && turn === this.#turn;
          if (hangs) this.#replace(`was at one operation for ${limit} ms`);
        }),
      limit,
    );
    if (!first) this.#watch.unref();
  }

  /** The worker hung or ended: whoever waits is told, and a fresh one starts; at once for the first time. */
  #replace(why: string): void {
    void this.#worker?.terminate();
    this.#end((asked) => new Crashed(`the worker ${why}; ${lost(asked.part)}`));
    if (this.#closed) return;
    this.restarts += 1;
    this.#failures += 1;
    if (this.#failures === 1) return this.#start();
    const wait = Math.min(LONGEST_WAIT, 25 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#restarting = setTimeout(() => this.#start(), wait);
    this.#restarting.unref();
  }

  #end(error: (asked: Asked) => Error): void {
    this.#worker = undefined;
    this.#ready = false;
    this.generation += 1;
    clearTimeout(this.#watch);
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, settle, request } of all) {
      clearTimeout(timer);
      settle?.reject(error(request));
    }
  }
}

function lost(part: Request['part']): string {
  return part === 'session' ? 'the session goes on, a frame is lost' : `the ${part} begins anew, a frame is lost`;
}

function rebuilt({ name, message, tag, value }: NonNullable<Reply['error']>): Error {
  if (tag !== undefined) return new Refused(tag, value);
  const kinds: Record<string, ErrorConstructor> = { RangeError, TypeError };
  if (name === 'Failed' || name === 'Closed') {
    const error = Object.create(name === 'Failed' ? Failed.prototype : Closed.prototype) as Error;
    return Object.defineProperties(error, {
      name: { value: name },
      message: { value: message },
      stack: { value: new Error(message).stack },
    });
  }
  return new (kinds[name] ?? Error)(message);
}
