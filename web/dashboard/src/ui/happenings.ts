// What happens, as it happens.

import { el } from '../../../ui/dom.js';
import { clock, deviceName, duration, inUnit, words } from '../data/format.js';
import type { Live, Told } from '../data/live.js';
import { panel } from './parts.js';

/** So many are shown. */
const SHOWN = 60;

const link = (id: string, text: string): HTMLElement => el('a', { href: `#/sessions/${encodeURIComponent(id)}` }, text);

function line(told: Told): (Node | string)[] {
  switch (told.event) {
    case 'opened':
      return ['Call of ', link(told.call.id, deviceName(told.call.device)), ` began on worker ${told.call.worker}`];
    case 'closed':
      return ['Call of ', link(told.id, deviceName(told.device)), ` ended after ${duration(told.seconds)}: ${words(told.cause)}`];
    case 'pool':
      return told.call ? [link(told.call, told.what)] : [told.what];
    case 'gap':
      return [told.text];
    case 'alert': {
      const { id, state, value, unit, silence } = told.alert;
      return [`Alert ${words(id)}: ${silence ? 'silenced, ' : ''}${state === 'ok' ? 'at rest' : state}${value === null || unit === 'flag' ? '' : `, ${inUnit(value, unit)}`}`];
    }
  }
}

const KIND: Record<Told['event'], string> = { opened: '+', closed: '−', pool: '↯', alert: '!', gap: '…' };

export class Happenings {
  readonly #list = el('ol', { class: 'happenings', tabindex: 0, 'aria-label': 'What happened, newest first' });
  readonly #none = el('p', { class: 'empty' }, 'Nothing since this page was opened. Calls that begin and end, failures, steps of quality and alerts appear here.');
  readonly element = panel('Lately', this.#none, this.#list);
  readonly #live: Live;
  readonly #stop: () => void;
  #due = 0;

  constructor(live: Live) {
    this.#live = live;
    this.#stop = live.on('happening', () => {
      // A fleet that comes all at once is written once.
      this.#due ||= requestAnimationFrame(() => this.#draw());
    });
    this.#draw();
  }

  close(): void {
    this.#stop();
    cancelAnimationFrame(this.#due);
  }

  #draw(): void {
    this.#due = 0;
    const told = this.#live.happenings.slice(0, SHOWN);
    this.#none.hidden = told.length > 0;
    this.#list.hidden = told.length === 0;
    const known = new Map([...this.#list.children].map((child) => [of.get(child), child]));
    this.#list.replaceChildren(...told.map((one) => known.get(one) ?? entry(one)));
  }
}

/** What an entry tells of. */
const of = new WeakMap<Element, Told>();

function entry(told: Told): HTMLElement {
  const item = el('li', { 'data-event': told.event }, el('time', {}, clock(told.at)), el('span', { class: 'kind', 'aria-hidden': 'true' }, KIND[told.event]), el('span', {}, ...line(told)));
  of.set(item, told);
  return item;
}
