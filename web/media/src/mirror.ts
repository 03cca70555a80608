// What a failed instance may take with it, kept outside of it: nonces, replay window, place. As the gateway's host does
// (host/src/pool/mirror.rs), the datagrams themselves are read, not what the instance says of them: so no nonce
// leaves twice, whatever the instance does.

import type { State } from './types.js';

const HEADER = 16;
const WINDOW = 128n;
const LAST = 0xffff_ffff;

/** The numbers in the header of a datagram. */
export interface Header {
  flags: number;
  payloadLen: number;
  connectionId: number;
  timestamp: number;
  sequence: number;
}

/** Reads the header of a datagram; `undefined` where it has none. */
export function header(datagram: Uint8Array): Header | undefined {
  if (datagram.length < HEADER || datagram[0] !== 1) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  return {
    flags: view.getUint8(1),
    payloadLen: view.getUint16(2),
    connectionId: view.getUint32(4),
    timestamp: view.getUint32(8),
    sequence: view.getUint32(12),
  };
}

/** Where one direction of sealing stands. */
export class Sealed {
  nextSequence = 1;
  lastTimestamp = 0;

  constructor(
    readonly connectionId: number,
    readonly downlink: boolean,
  ) {}

  /** Notes a datagram that is about to leave. One that would use a nonce again is the fault of the instance. */
  leaves(datagram: Uint8Array): void {
    const sealed = header(datagram);
    if (!sealed || datagram.length !== HEADER + sealed.payloadLen) throw new Error('what it sealed is no datagram');
    if (sealed.connectionId !== this.connectionId) throw new Error('it sealed for another session');
    const repeats = sealed.sequence < this.nextSequence || sealed.sequence === LAST;
    const backwards = this.downlink && (sealed.timestamp <= this.lastTimestamp || (sealed.flags & 1) === 0);
    if (repeats || backwards) {
      throw new Error(`sequence ${sealed.sequence} timestamp ${sealed.timestamp}: a nonce twice`);
    }
    this.nextSequence = sealed.sequence + 1;
    this.lastTimestamp = Math.max(this.lastTimestamp, sealed.timestamp);
  }

  state(): State['sealed'] {
    return { nextSequence: this.nextSequence, lastTimestamp: this.lastTimestamp };
  }
}

/** Which sequence numbers were taken in: bit n of the window stands for `highest` - n. */
export class Opened {
  #highest: number | undefined;
  #window = 0n;

  accepted(sequence: number): void {
    if (this.#highest === undefined || sequence > this.#highest) {
      const by = this.#highest === undefined ? WINDOW : BigInt(sequence - this.#highest);
      this.#window = by >= WINDOW ? 1n : BigInt.asUintN(128, this.#window << by) | 1n;
      this.#highest = sequence;
    } else {
      this.#window |= BigInt.asUintN(128, 1n << BigInt(this.#highest - sequence));
    }
  }

  state(): State['opened'] {
    return {
      highest: this.#highest,
      windowHigh: this.#window >> 64n,
      windowLow: BigInt.asUintN(64, this.#window),
    };
  }
}
