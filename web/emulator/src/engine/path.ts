// The way of a session's audio: first through a network of our making, as bad as it is set to be, then over what really
// carries it. Time comes in as ms of `performance.now()`.

import { Network } from '@sidetone/device';
import type { NetworkCounts } from '../messages.js';
import type { Settings } from '../settings.js';
import { type Datagrams, connect, said } from './datagrams.js';
import { at } from './link.js';

/** The most datagrams that wait for their way to be there. */
const MOST_EARLY = 20;

/** Whom a path tells. */
interface Ends {
  /** A frame leaves through the WebSocket that carries the messages. */
  beside(timestamp: number, data: Uint8Array): void;
  /** Something came out of the network of our making. */
  arrived(now: number, timestamp: number, data: Uint8Array): void;
  /** A way is there. */
  found(): void;
  /** Something may wait now until {@link Path.nextDue}. */
  waiting(): void;
  notice(level: 'warning' | 'error', text: string): void;
}

export class Path {
  #up: Network;
  #down: Network;
  #datagrams: Datagrams | undefined;
  #early: Uint8Array[] = [];
  /** Another one for each session, so that a way that comes late is not that of the next. */
  #session: object | undefined;
  #sealed = false;

  constructor(
    private settings: Settings,
    private readonly ends: Ends,
  ) {
    const { up, down, seed } = settings;
    this.#up = new Network(JSON.stringify(up), seed * 2);
    this.#down = new Network(JSON.stringify(down), seed * 2 + 1);
  }

  configure(settings: Settings): void {
    this.settings = settings;
    this.#up.set(JSON.stringify(settings.up));
    this.#down.set(JSON.stringify(settings.down));
  }

  /** What carries the audio now. */
  get carrier(): string {
    return this.#session === undefined ? '' : this.#sealed ? (this.#datagrams?.name ?? '…') : 'WebSocket';
  }

  get nextDue(): number {
    return Math.min(this.#up.nextDue ?? Number.POSITIVE_INFINITY, this.#down.nextDue ?? Number.POSITIVE_INFINITY);
  }

  counts(): { up: NetworkCounts; down: NetworkCounts } {
    return { up: JSON.parse(this.#up.counts()) as NetworkCounts, down: JSON.parse(this.#down.counts()) as NetworkCounts };
  }

  /** A session begins. `sealed`: its packets go a way of their own, which is looked for. */
  open(sealed: boolean): void {
    this.#session = {};
    this.#sealed = sealed;
    const { transport } = this.settings;
    if (sealed) this.#find(transport === 'mqtt-websocket' ? 'websocket' : transport === 'webtransport' ? 'webtransport' : 'auto');
  }

  /** A session is over. */
  close(): void {
    this.#session = undefined;
    this.#datagrams?.close();
    this.#datagrams = undefined;
    this.#early = [];
    this.#up.clear();
    this.#down.clear();
  }

  free(): void {
    this.close();
    this.#up.free();
    this.#down.free();
  }

  leave(now: number, timestamp: number, data: Uint8Array): void {
    this.#up.push(now, framed(timestamp, data));
    this.pump(now);
    this.ends.waiting();
  }

  arrive(now: number, timestamp: number, data: Uint8Array): void {
    this.#down.push(now, framed(timestamp, data));
    this.pump(now);
    this.ends.waiting();
  }

  /** Moves what has come through by now; `upUntil`: and of what leaves also what would come through by then. */
  pump(now: number, upUntil = now): void {
    for (let piece = this.#up.pop(upUntil); piece; piece = this.#up.pop(upUntil)) {
      const [timestamp, data] = unframed(piece);
      if (this.#session === undefined) continue;
      if (!this.#sealed) this.ends.beside(timestamp, data);
      else if (this.#datagrams) this.#datagrams.send(data);
      else if (this.#early.length < MOST_EARLY) this.#early.push(data);
    }
    for (let piece = this.#down.pop(now); piece; piece = this.#down.pop(now)) {
      const [timestamp, data] = unframed(piece);
      if (this.#session !== undefined) this.ends.arrived(now, timestamp, data);
    }
  }

  #find(prefer: 'auto' | 'webtransport' | 'websocket'): void {
    const session = this.#session;
    const { webTransport, certificate, gateway } = this.settings;
    connect({
      prefer,
      webTransport,
      certificate,
      webSocket: at(gateway, '/media').href,
      received: (datagram) => this.arrive(performance.now(), 0, datagram),
      broke: (why) => {
        if (this.#session !== session) return;
        this.#datagrams = undefined;
        this.ends.notice('warning', `The way of the audio broke (${why}); finding another`);
        // Where the gateway is gone altogether, this fails, and the session ends by its own clock.
        this.#find('websocket');
      },
      notice: (text) => this.ends.notice('warning', text),
    }).then(
      (datagrams) => {
        if (this.#session !== session || session === undefined) return datagrams.close();
        this.#datagrams = datagrams;
        for (const early of this.#early.splice(0)) datagrams.send(early);
        this.ends.found();
      },
      (error: unknown) => {
        if (this.#session === session) this.ends.notice('error', said(error));
      },
    );
  }
}

/** The network of our making takes bytes: the timestamp goes before them. */
function framed(timestamp: number, data: Uint8Array): Uint8Array {
  const piece = new Uint8Array(data.length + 4);
  new DataView(piece.buffer).setUint32(0, timestamp);
  piece.set(data, 4);
  return piece;
}

function unframed(piece: Uint8Array): [number, Uint8Array] {
  return [new DataView(piece.buffer, piece.byteOffset).getUint32(0), piece.slice(4)];
}
