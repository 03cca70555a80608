// Keeps the page at what the gateway says now: asks for numbers, hears events, and knows since when it does not.

import { type Alerts, type Happening, type Readiness, Refused, type Stats, alerts, readiness, stats } from './api.js';
import { clock, plural } from './format.js';

/** How often numbers are asked for. */
const EVERY = 2_000;

/** No answer for so long: what is shown is not live. */
const STALE = 6_000;

/** How long the event stream may take to stand. */
const OPENING = 4_000;

/** What is kept of what happened. */
const KEPT = 200;

/** What the page knows of its own connection. */
export interface Connection {
  live: boolean;
  /** When what is shown was true. */
  since: number;
  why: string;
}

/** What happened, or that this page has not heard of it. */
export type Told = Exclude<Happening, { event: 'lagged' }> | { event: 'gap'; at: number; text: string };

interface Tells {
  numbers: Stats;
  readiness: Readiness;
  alerts: Alerts;
  happening: Told;
  connection: Connection;
  /** The gateway answers again after a gap: whatever was missed must be asked for. */
  again: undefined;
}

type Hears = { [K in keyof Tells]: Set<(told: Tells[K]) => void> };

export class Live {
  numbers: Stats | undefined;
  ready: Readiness | undefined;
  alerts: Alerts | undefined;
  /** Not known before the first answer, or its failure. */
  connection: Connection | undefined;
  /** Newest first. */
  readonly happenings: Told[] = [];

  #hears: Hears = { numbers: new Set(), readiness: new Set(), alerts: new Set(), happening: new Set(), connection: new Set(), again: new Set() };
  #stream: EventSource | undefined;
  /** Since when the stream does not stand; 0 while it does. */
  #closed = Date.now();
  /** Since when it is being opened. */
  #opening = Date.now();
  /** A stream stood before. */
  #heard = false;
  #answered = 0;
  #why = '';
  #asking = false;
  #timer = 0;

  start(): void {
    this.#listen();
    void this.#ask();
    // A page that nobody sees asks for nothing, and hears nothing: browsers have six connections to a gateway, for all
    // of their tabs together. One that is seen again asks at once.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) {
        this.#stream?.close();
        this.#closed ||= Date.now();
      } else {
        this.#listen();
        void this.#ask();
      }
    });
    addEventListener('online', () => void this.#ask());
    setInterval(() => this.#judge(), 1_000);
  }

  /** Calls `hear` from now on, until the function that comes back is called. */
  on<K extends keyof Tells>(what: K, hear: (told: Tells[K]) => void): () => void {
    this.#hears[what].add(hear);
    return () => this.#hears[what].delete(hear);
  }

  /** Asks for the numbers now, and not only when it is time. */
  refresh(): Promise<void> {
    return this.#ask();
  }

  /** Takes on the alerts as they are after a change. */
  async refreshAlerts(): Promise<void> {
    this.alerts = await alerts();
    this.#tell('alerts', this.alerts);
  }

  #tell<K extends keyof Tells>(what: K, told: Tells[K]): void {
    for (const hear of this.#hears[what]) hear(told);
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#asking) return;
    this.#asking = true;
    const told = await Promise.all([stats(), readiness(), alerts()]).catch((error: unknown) => said(error));
    this.#asking = false;
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.#ask(), EVERY);
    if (typeof told === 'string') {
      this.#why = told;
      this.#judge();
      return;
    }
    const [before, failed] = [this.numbers, this.#why !== ''];
    [this.numbers, this.ready, this.alerts] = told;
    this.#answered = Date.now();
    this.#why = '';
    if (!document.hidden && this.#closed > 0 && (failed || this.#stream?.readyState === EventSource.CLOSED)) this.#listen();
    this.#judge();
    // Another start is another process.
    if (before && (failed || Math.abs(before.started - this.numbers.started) > 2_000)) this.#tell('again', undefined);
    this.#tell('numbers', this.numbers);
    this.#tell('readiness', this.ready);
    this.#tell('alerts', this.alerts);
  }

  #listen(): void {
    this.#stream?.close();
    const stream = new EventSource('api/events');
    this.#stream = stream;
    this.#opening = Date.now();
    this.#closed ||= this.#opening;
    stream.addEventListener('open', () => {
      if (this.#heard) this.#happened({ event: 'gap', at: Date.now(), text: `From ${clock(this.#closed)} on, this page heard of nothing.` });
      this.#heard = true;
      this.#closed = 0;
      this.#judge();
    });
    stream.addEventListener('error', () => {
      if (this.#stream !== stream) return;
      this.#opening = this.#closed ? this.#opening : Date.now();
      this.#closed ||= this.#opening;
      void this.#ask();
    });
    for (const name of ['opened', 'closed', 'pool', 'alert', 'lagged'] as const) {
      stream.addEventListener(name, ({ data }: MessageEvent<string>) => this.#hear({ ...JSON.parse(data), event: name } as Happening));
    }
  }

  #hear(happening: Happening): void {
    if (happening.event === 'lagged') {
      this.#happened({ event: 'gap', at: Date.now(), text: `${plural(happening.missed, 'event')} came too fast for this page.` });
      void this.#ask();
    } else {
      this.#happened(happening);
    }
  }

  #happened(told: Told): void {
    this.happenings.unshift(told);
    this.happenings.length = Math.min(this.happenings.length, KEPT);
    this.#tell('happening', told);
  }

  /** Live: numbers came lately, and events come through. */
  #judge(): void {
    if (document.hidden || (this.#answered === 0 && this.#why === '')) return;
    const now = Date.now();
    const silent = now - this.#answered > STALE ? 'the gateway does not answer in time' : '';
    const deaf = this.#closed > 0 && now - this.#opening > OPENING ? 'events do not come through' : '';
    const why = this.#why || silent || deaf;
    const before = this.connection;
    const since = this.#answered || before?.since || now;
    this.connection = { live: why === '', since, why };
    if (before?.live !== this.connection.live || before.why !== why) this.#tell('connection', this.connection);
  }
}

/** Why there was no answer, for people. */
export function said(error: unknown): string {
  if (error instanceof Refused) return error.status === 401 ? 'the gateway asks for its token: load this page again' : error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'the gateway does not answer in time';
  return 'the gateway cannot be reached';
}
