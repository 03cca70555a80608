// Keeps the page at what the gateway says now: asks for numbers, hears events, and knows since when it does not.

import { type Alerts, type Happening, type Readiness, Refused, type Stats, alerts, readiness, stats } from './api.js';

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

interface Told {
  numbers: Stats;
  readiness: Readiness;
  alerts: Alerts;
  happening: Happening;
  connection: Connection;
  /** The gateway answers again after a gap: whatever was missed must be asked for. */
  again: undefined;
}

type Hears = { [K in keyof Told]: Set<(told: Told[K]) => void> };

export class Live {
  numbers: Stats | undefined;
  ready: Readiness | undefined;
  alerts: Alerts | undefined;
  /** Not known before the first answer, or its failure. */
  connection: Connection | undefined;
  /** Newest first. */
  readonly happenings: Exclude<Happening, { event: 'lagged' }>[] = [];

  #hears: Hears = { numbers: new Set(), readiness: new Set(), alerts: new Set(), happening: new Set(), connection: new Set(), again: new Set() };
  #stream: EventSource | undefined;
  /** Since when the stream does not stand; 0 while it does. */
  #closed = Date.now();
  #answered = 0;
  #why = '';
  #asking = false;
  #timer = 0;

  start(): void {
    this.#listen();
    void this.#ask();
    // A page that nobody sees asks for nothing; one that is seen again asks at once.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.#ask();
    });
    addEventListener('online', () => void this.#ask());
    setInterval(() => this.#judge(), 1_000);
  }

  /** Calls `hear` from now on, until the function that comes back is called. */
  on<K extends keyof Told>(what: K, hear: (told: Told[K]) => void): () => void {
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

  #tell<K extends keyof Told>(what: K, told: Told[K]): void {
    for (const hear of this.#hears[what]) hear(told);
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#asking) return;
    this.#asking = true;
    try {
      const [now, ready, alarms] = await Promise.all([stats(), readiness(), alerts()]);
      const [before, failed] = [this.numbers, this.#why !== ''];
      [this.numbers, this.ready, this.alerts] = [now, ready, alarms];
      this.#answered = Date.now();
      this.#why = '';
      if (this.#closed > 0 && (failed || this.#stream?.readyState === EventSource.CLOSED)) this.#listen();
      this.#judge();
      // Another start is another process.
      if (before && (failed || Math.abs(before.started - now.started) > 2_000)) this.#tell('again', undefined);
      this.#tell('numbers', now);
      this.#tell('readiness', ready);
      this.#tell('alerts', alarms);
    } catch (error) {
      this.#why = said(error);
      this.#judge();
    } finally {
      this.#asking = false;
      if (!document.hidden) this.#timer = window.setTimeout(() => void this.#ask(), EVERY);
    }
  }

  #listen(): void {
    this.#stream?.close();
    const stream = new EventSource('api/events');
    this.#stream = stream;
    this.#closed = Date.now();
    stream.addEventListener('open', () => {
      this.#closed = 0;
      this.#judge();
    });
    stream.addEventListener('error', () => {
      if (this.#stream !== stream) return;
      this.#closed ||= Date.now();
      void this.#ask();
    });
    for (const name of ['opened', 'closed', 'pool', 'alert', 'lagged'] as const) {
      stream.addEventListener(name, ({ data }: MessageEvent<string>) => this.#hear({ ...JSON.parse(data), event: name } as Happening));
    }
  }

  #hear(happening: Happening): void {
    if (happening.event === 'lagged') {
      void this.#ask();
    } else {
      this.happenings.unshift(happening);
      this.happenings.length = Math.min(this.happenings.length, KEPT);
    }
    this.#tell('happening', happening);
  }

  /** Live: numbers came lately, and events come through. */
  #judge(): void {
    if (document.hidden || (this.#answered === 0 && this.#why === '')) return;
    const now = Date.now();
    const silent = now - this.#answered > STALE ? 'the gateway does not answer in time' : '';
    const deaf = this.#closed > 0 && now - this.#closed > OPENING ? 'events do not come through' : '';
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
