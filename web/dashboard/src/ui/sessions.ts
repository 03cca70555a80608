// All sessions: those that live, and those that have ended.

import { el, field } from '../../../ui/dom.js';
import { type Session, type Stats, ended, sessions } from '../data/api.js';
import { bytes, count, deviceName, ms, percent, span, when, words } from '../data/format.js';
import { type Live, said } from '../data/live.js';
import { type Column, Grid } from './grid.js';
import { command, fill, segments, write } from './parts.js';

/** How often they are asked for; where they are so many that it takes long, a tenth of the time is spent on it. */
const EVERY = 2_000;

const rest: readonly Column<Session>[] = [
  { title: 'Loss', value: ({ lossPercent }) => lossPercent, text: ({ lossPercent }) => percent(lossPercent), more: ({ counts }) => `${count(counts.lost)} lost, ${count(counts.received)} received`, number: true },
  { title: 'Concealed', value: ({ counts }) => counts.concealed, text: ({ counts }) => count(counts.concealed), number: true, spare: true },
  { title: 'Late', value: ({ counts }) => counts.late, text: ({ counts }) => count(counts.late), more: ({ counts }) => `of ${count(counts.sent)} sent`, number: true, spare: true },
  { title: 'Avg', value: ({ avgMs }) => avgMs, text: ({ avgMs }) => ms(avgMs), number: true, spare: true },
  { title: 'Max', value: ({ maxMs }) => maxMs, text: ({ maxMs }) => ms(maxMs), number: true, spare: true },
  { title: 'Restarts', value: ({ counts }) => counts.restarts, text: ({ counts }) => count(counts.restarts), number: true, spare: true },
  { title: 'Overlaps', value: ({ counts }) => counts.keystreamOverlaps, text: ({ counts }) => count(counts.keystreamOverlaps), more: () => 'Packets that shared keystream', number: true, spare: true },
  { title: 'Memory', value: ({ memory }) => memory, text: ({ memory }) => bytes(memory), number: true, spare: true },
];
const who: readonly Column<Session>[] = [
  { title: 'Device', value: ({ device }) => device, text: ({ device }) => deviceName(device), more: ({ device, id: session }) => `${device}, session ${session}` },
  { title: 'Tenant', value: ({ tenant }) => tenant, text: ({ tenant }) => tenant, spare: true },
  { title: 'Worker', value: ({ worker }) => worker, text: ({ worker }) => String(worker), number: true, spare: true },
];
const length: Column<Session> = { title: 'Length', value: ({ seconds }) => seconds, text: ({ seconds }) => span(seconds), more: ({ started }) => `since ${when(started)}`, number: true };
const quality: Column<Session> = { title: 'Quality', value: ({ quality: step }) => ['minimal', 'medium', 'full'].indexOf(step), text: ({ quality: step }) => step, more: ({ qualityWhy }) => qualityWhy };

const LIVE: readonly Column<Session>[] = [...who, length, quality, ...rest];
const ENDED: readonly Column<Session>[] = [
  ...who,
  { title: 'Ended', value: ({ ended: at }) => at ?? null, text: ({ ended: at }) => (at ? when(at) : '–') },
  { title: 'Why', value: ({ cause }) => cause ?? null, text: ({ cause }) => words(cause ?? '–') },
  { ...length, spare: true },
  ...rest,
];

/** How to make a call, for a gateway that has none. */
export function noCalls(now: Stats | undefined): HTMLElement {
  const mqtt = now?.edges['mqtt.listen'];
  const [host, port] = mqtt?.address ? [mqtt.address.slice(0, mqtt.address.lastIndexOf(':')), mqtt.address.slice(mqtt.address.lastIndexOf(':') + 1)] : ['', ''];
  const elsewhere = port === '1883' || port === '' ? '' : ` --gateway mqtt://${/^(0\.0\.0\.0|\[::\])$/.test(host) ? '127.0.0.1' : host}:${port}`;
  return el(
    'div',
    { class: 'empty' },
    el('p', {}, 'No calls just now. To make one, ', el('a', { href: 'device/' }, 'hold a device in this browser'), ', or let ten virtual devices call:'),
    command(`sidetone fleet --devices 10${elsewhere}`),
  );
}

const id = (session: Session): string => session.id;
const href = (session: Session): string => `#/sessions/${encodeURIComponent(session.id)}`;

export class SessionsView {
  readonly #living = new Grid<Session>('Live sessions', LIVE, id, href, { column: 3, down: false });
  readonly #past = new Grid<Session>('Ended sessions', ENDED, id, href, { column: 3, down: true });
  readonly #empty = el('div');
  readonly #problem = el('p', { class: 'warning', role: 'status' });
  readonly #more = el('button', { type: 'button', onclick: () => void this.#page() }, 'Earlier ones');
  readonly #body = el('div', { class: 'rows' });
  readonly element: HTMLElement;
  readonly #live: Live;
  readonly #stop: (() => void)[];
  #which: 'live' | 'ended' = 'live';
  #ended: Session[] = [];
  #next: number | null = null;
  #timer = 0;
  #closed = false;

  constructor(live: Live) {
    this.#live = live;
    const filter = el('input', {
      type: 'search',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => {
        this.#living.filter(filter.value);
        this.#past.filter(filter.value);
      },
    });
    const which = segments('Which sessions', [['live', 'Live'], ['ended', 'Ended']] as const, 'live', (chosen) => {
      this.#which = chosen;
      this.#change();
    });
    this.element = el('section', { class: 'panel sessions', 'aria-label': 'Sessions' }, el('div', { class: 'head' }, el('h2', {}, 'Sessions'), which, field('Filter: device, tenant, quality, cause …', filter)), this.#problem, this.#body);
    const seen = (): void => void (document.hidden || this.#which !== 'live' || this.#ask());
    document.addEventListener('visibilitychange', seen);
    this.#stop = [() => document.removeEventListener('visibilitychange', seen), live.on('again', () => this.#change())];
    this.#change();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stop) stop();
  }

  #change(): void {
    clearTimeout(this.#timer);
    write(this.#problem, '');
    if (this.#which === 'live') {
      void this.#ask();
    } else {
      this.#ended = [];
      this.#next = null;
      void this.#page();
    }
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const begun = performance.now();
    try {
      const all = await sessions();
      if (this.#closed || this.#which !== 'live') return;
      write(this.#problem, '');
      this.#living.show(all);
      if (all.length === 0) fill(this.#empty, 'none', () => [noCalls(this.#live.numbers)]);
      this.#put(all.length === 0 ? [this.#empty] : [this.#living.element]);
    } catch (error) {
      if (this.#closed || this.#which !== 'live') return;
      write(this.#problem, `These are not the sessions of now: ${said(error)}.`);
    }
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.#ask(), Math.max(EVERY, 10 * (performance.now() - begun)));
  }

  async #page(): Promise<void> {
    this.#more.disabled = true;
    try {
      const told = await ended(this.#next);
      if (this.#closed || this.#which !== 'ended') return;
      const known = new Set(this.#ended.map(id));
      this.#ended = [...this.#ended, ...told.sessions.filter((session) => !known.has(session.id))];
      this.#next = told.next;
      this.#past.show(this.#ended);
      const none = el('p', { class: 'empty' }, 'No session has ended yet, as far as this gateway remembers.');
      this.#put(this.#ended.length === 0 ? [none] : told.next === null ? [this.#past.element] : [this.#past.element, this.#more]);
    } catch (error) {
      if (!this.#closed) write(this.#problem, `No ended sessions: ${said(error)}.`);
    } finally {
      this.#more.disabled = false;
    }
  }

  #put(children: HTMLElement[]): void {
    if (children.length !== this.#body.children.length || children.some((child, index) => child !== this.#body.children[index])) this.#body.replaceChildren(...children);
  }
}
