// What happened: lines for the timeline, and the packets behind them, to be looked into. No key is kept.

import { type Media, header } from '@sidetone/media';
import type { Entry, Inspection } from '../messages.js';
import { said } from './datagrams.js';

/** Packets that are kept to be looked into. */
const KEPT = 1024;

/** Letters of a message that are kept: more than any that is meant well. */
const LETTERS = 16_384;

/** Lines that wait to be told; what is older falls out. */
const UNTOLD = 4096;

interface Kept {
  data: Uint8Array;
  sealed: boolean;
  payload: Uint8Array | undefined;
}

export class Journal {
  #untold: Entry[] = [];
  #number = 0;
  #kept = new Map<number, Kept>();

  constructor(private readonly media: Media) {}

  add(direction: Entry['direction'], kind: Entry['kind'], text: string, bytes = 0): void {
    this.#number += 1;
    const kept = text.length > LETTERS ? `${text.slice(0, LETTERS)} … (${text.length} letters)` : text;
    this.#untold.push({ number: this.#number, time: performance.now(), direction, kind, text: kept, bytes });
    if (this.#untold.length > UNTOLD) this.#untold.shift();
  }

  /** A packet and what became of it; `payload`: what is inside, where it is sealed and could be opened. */
  packet(direction: 'up' | 'down', data: Uint8Array, fate: string, sealed: boolean, payload: Uint8Array | undefined): void {
    const head = sealed ? header(data) : undefined;
    const text = head ? `#${head.sequence} · ${head.timestamp} ms · ${head.payloadLen} B` : `${data.length} B`;
    this.add(direction, 'audio', fate === 'sent' || fate === 'queued' ? text : `${text} · ${fate}`, data.length);
    this.#kept.set(this.#number, { data, sealed, payload });
    if (this.#kept.size > KEPT) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
  }

  /** The lines since the last call. */
  take(): Entry[] {
    return this.#untold.splice(0);
  }

  inspect(number: number): Inspection | undefined {
    const kept = this.#kept.get(number);
    if (!kept) return undefined;
    const { data, sealed, payload } = kept;
    const inspection: Inspection = { datagram: data };
    const head = sealed ? header(data) : undefined;
    if (head) inspection.header = head;
    if (payload) {
      inspection.payload = payload;
      inspection.toc = payload[0];
      try {
        inspection.opus = this.media.parse(payload);
      } catch (error) {
        inspection.problem = said(error);
      }
    }
    return inspection;
  }
}
