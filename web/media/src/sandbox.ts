// One instance of the module, and a fresh one whenever it failed. Nothing of an instance is used after a failure.
//
// What this cannot do, and the gateway's host can: end a call that runs for ever. JavaScript has no deadline for it.

import type { Root } from '../dist/sidetone.js';
import { Closed, Failed, refusal } from './errors.js';

/** Failures in a row, without a call that went well between them, after which a sandbox gives up. */
export const MOST_FAILURES = 8;

/** Where encoders, decoders, sessions live. What shares one fails together. */
export class Sandbox {
  #instantiate: () => Root;
  #exports: Root | undefined;
  #generation = 0;
  #failures = 0;
  #restarts = 0;
  #closed = false;

  constructor(instantiate: () => Root) {
    this.#instantiate = instantiate;
  }

  /** Changes whenever a fresh instance takes the place of a failed one. */
  get generation(): number {
    return this.#generation;
  }

  /** Instances that failed. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Calls the instance. Whatever it throws that is no refusal ends the instance: {@link Failed}. */
  call<T>(run: (exports: Root) => T): T {
    if (this.#closed) throw new Closed('the sandbox');
    if (this.#failures >= MOST_FAILURES) throw new Closed(`the sandbox failed ${MOST_FAILURES} times in a row, and`);
    try {
      this.#exports ??= this.#instantiate();
      const value = run(this.#exports);
      this.#failures = 0;
      return value;
    } catch (error) {
      const refused = refusal(error);
      if (refused) throw refused;
      this.#exports = undefined;
      this.#generation += 1;
      this.#restarts += 1;
      this.#failures += 1;
      throw new Failed(error);
    }
  }

  /** Lets go of the instance. */
  close(): void {
    this.#closed = true;
    this.#exports = undefined;
  }
}

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('dispose');

/** Something that lives in a sandbox, is opened again in a fresh one, and is closed once. */
export abstract class Resource<Inner extends object> {
  #sandbox: Sandbox;
  #inner: Inner | undefined;
  #generation = -1;
  #closed = false;

  protected constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** How it is opened, for the first time and after a failure. */
  protected abstract reopen(exports: Root): Inner;

  /** One call of it. */
  protected use<T>(run: (inner: Inner) => T): T {
    if (this.#closed) throw new Closed(this.constructor.name);
    return this.#sandbox.call((exports) => {
      if (this.#generation !== this.#sandbox.generation || !this.#inner) {
        this.#inner = this.reopen(exports);
        this.#generation = this.#sandbox.generation;
      }
      return run(this.#inner);
    });
  }

  /** Closes it; the module zeroises what it holds. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const inner = this.#inner as (Inner & Partial<Disposable>) | undefined;
    this.#inner = undefined;
    // What lived in an instance that failed is gone with it.
    if (!inner || this.#generation !== this.#sandbox.generation) return;
    try {
      this.#sandbox.call(() => inner[dispose]?.());
    } catch (error) {
      // It failed on the way out, or was closed before: gone all the same.
      if (!(error instanceof Failed) && !(error instanceof Closed)) throw error;
    }
  }

  [dispose](): void {
    this.close();
  }
}
