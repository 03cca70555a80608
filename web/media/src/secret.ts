// A session's key outside of the module: needed to open the session again after a failure.

import { key } from './guard.js';
import type { Key } from './types.js';

/** 16 bytes that show nowhere. */
export class Secret {
  #bytes: Uint8Array;

  constructor(value: Uint8Array | string) {
    this.#bytes = key(value);
  }

  /** As the module takes it. */
  expose(): Key {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, 16);
    return { high: view.getBigUint64(0), low: view.getBigUint64(8) };
  }

  /** Overwrites it. Copies that the engine made are beyond reach. */
  forget(): void {
    this.#bytes.fill(0);
  }
}
