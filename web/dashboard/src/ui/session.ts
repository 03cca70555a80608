// One session: what it is, how it fares, what happened to it; and its end, by hand.

import { el } from '../../../ui/dom.js';
import { Refused, type Session, type SessionDetails, end, session } from '../data/api.js';
import { bytes, clock, count, deviceName, duration, ms, percent, plural, when, words } from '../data/format.js';
import { type Live, said } from '../data/live.js';
import { fill, panel, write } from './parts.js';

const EVERY = 2_000;

const FIGURES: readonly [string, (told: Session) => string, (told: Session) => string][] = [
  ['Lost', ({ lossPercent }) => percent(lossPercent), ({ counts }) => `${count(counts.lost)} of ${plural(counts.lost + counts.received, 'packet')} · ${count(counts.concealed)} concealed`],
  ['Late', ({ counts }) => count(counts.late), ({ counts }) => `of ${count(counts.sent)} sent · ${count(counts.unsent)} unsent`],
  ['Latency', ({ avgMs }) => ms(avgMs), ({ maxMs, counts }) => `longest ${ms(maxMs)} · ${plural(counts.frames, 'frame')}`],
  ['Quality', ({ quality }) => quality, ({ qualityWhy }) => qualityWhy],
  ['Shed', ({ counts }) => count(counts.shed), ({ counts }) => `${plural(counts.errors, 'refused packet')}`],
  ['Restarts', ({ counts }) => count(counts.restarts), ({ counts }) => `${plural(counts.lostFrames, 'frame')} lost by them`],
  ['Overlaps', ({ counts }) => count(counts.keystreamOverlaps), () => 'packets that shared keystream'],
  ['Memory', ({ memory }) => bytes(memory), () => 'of the instance'],
];

export class SessionView {
  readonly #title = el('h2');
  readonly #state = el('p', { class: 'quiet', role: 'status' });
  readonly #end = el('button', { type: 'button', class: 'danger', onclick: () => this.#askEnd() }, 'End this call …');
  readonly #problem = el('p', { class: 'warning', role: 'alert' });
  readonly #about = el('dl', { class: 'about' });
  readonly #cells = FIGURES.map(([title]) => {
    const [figure, more] = [el('dd', { class: 'figure' }), el('dd', { class: 'quiet' })];
    return { figure, more, element: el('div', { class: 'tile' }, el('dt', {}, title), figure, more) };
  });
  readonly #figures = el('dl', { class: 'tiles' }, ...this.#cells.map(({ element }) => element));
  readonly #missed = el('p', { class: 'quiet' });
  readonly #events = el('ol', { class: 'events' });
  readonly #all = el('div', { class: 'view' }, this.#figures, panel('What happened', this.#missed, this.#events));
  readonly element = el(
    'div',
    { class: 'view' },
    el('p', {}, el('a', { href: '#/sessions' }, '← All sessions')),
    el('section', { class: 'panel call', 'aria-label': 'Session' }, el('div', { class: 'head' }, this.#title, this.#state, this.#end), this.#problem, this.#about),
    this.#all,
  );
  readonly #id: string;
  readonly #stop: (() => void)[];
  #timer = 0;
  #asking = false;
  #closed = false;
  #known = false;

  constructor(id: string, live: Live) {
    this.#id = id;
    this.#all.hidden = true;
    this.#end.hidden = true;
    write(this.#title, 'Session');
    const seen = (): void => void (document.hidden || this.#ask());
    document.addEventListener('visibilitychange', seen);
    this.#stop = [
      () => document.removeEventListener('visibilitychange', seen),
      live.on('again', () => void this.#ask()),
      live.on('happening', (told) => {
        if ((told.event === 'closed' && told.id === id) || (told.event === 'pool' && told.call === id)) void this.#ask();
      }),
    ];
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stop) stop();
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    // Events may come by the dozen: one answer tells of all of them, and the next comes soon.
    if (this.#asking) return;
    this.#asking = true;
    let on = true;
    try {
      const told = await session(this.#id);
      if (this.#closed) return;
      this.#show(told);
      on = told.state !== 'ended';
    } catch (error) {
      if (this.#closed) return;
      const gone = error instanceof Refused && error.status === 404;
      on = !gone;
      this.#end.hidden = true;
      if (gone && !this.#known) write(this.#state, `There is no session ${this.#id}: it never was, or this gateway has forgotten it.`);
      else write(this.#problem, gone ? 'The gateway was restarted, and does not know this session any more.' : `Not what is now: ${said(error)}.`);
    }
    this.#asking = false;
    if (on && !document.hidden && !this.#closed) this.#timer = window.setTimeout(() => void this.#ask(), EVERY);
  }

  #show(told: SessionDetails): void {
    const live = told.state !== 'ended';
    this.#known = true;
    this.#all.hidden = false;
    this.#end.hidden = !live;
    write(this.#problem, '');
    write(this.#title, deviceName(told.device));
    write(this.#state, live ? 'Live' : `Ended: ${words(told.cause ?? 'no cause is known')}`);
    this.#state.dataset['state'] = live ? 'live' : 'ended';
    const facts: [string, string][] = [
      ['Session', told.id],
      ['Client id', told.device],
      ['Tenant', told.tenant],
      ['Worker', String(told.worker)],
      ['From', told.peer ?? 'not known'],
      ['Audio', `${told.uplink} up, ${told.downlink} down, ${told.carrier === 'datagrams' ? 'in datagrams' : 'on its own connection'}${told.mcp ? '; tools (MCP)' : ''}`],
      ['Began', when(told.started)],
      live ? ['Lasts', duration(told.seconds)] : ['Ended', `${told.ended ? when(told.ended) : '–'}, after ${duration(told.seconds)}`],
    ];
    fill(this.#about, JSON.stringify(facts.map(([name]) => name)), () => facts.map(([name]) => el('div', {}, el('dt', {}, name), el('dd'))));
    facts.forEach(([, text], index) => write(this.#about.children[index]?.lastElementChild as Element, text));
    FIGURES.forEach(([, figure, more], index) => {
      const cell = this.#cells[index];
      if (!cell) return;
      write(cell.figure, figure(told));
      write(cell.more, more(told));
    });
    write(this.#missed, told.eventsMissed > 0 ? `${plural(told.eventsMissed, 'earlier event is', 'earlier events are')} not kept.` : '');
    fill(this.#events, JSON.stringify(told.events), () =>
      told.events.map(({ at, what, detail }) =>
        el('li', { 'data-what': what }, el('time', {}, clock(at)), el('span', { class: 'what' }, words(what)), el('span', { class: 'quiet' }, words(detail ?? ''))),
      ),
    );
  }

  #askEnd(): void {
    const problem = el('p', { class: 'warning', role: 'alert' });
    const dialog = el('dialog', { 'aria-labelledby': 'end-title' });
    const yes = async (event: SubmitEvent): Promise<void> => {
      event.preventDefault();
      try {
        await end(this.#id);
        dialog.close();
        void this.#ask();
      } catch (error) {
        write(problem, `Not ended: ${said(error)}.`);
      }
    };
    dialog.append(
      el(
        'form',
        { method: 'dialog', onsubmit: yes },
        el('h2', { id: 'end-title' }, 'End this call?'),
        el('p', {}, 'The device is told goodbye, and may call again at once.'),
        problem,
        el('div', { class: 'buttons' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), el('button', { type: 'submit', class: 'danger' }, 'End it')),
      ),
    );
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
}
