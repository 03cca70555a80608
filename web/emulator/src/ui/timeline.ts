// What was said and sent, line by line, to be filtered, held still, and looked into.

import type { Entry, Inspection } from '../messages.js';
import { el, field } from '../../../ui/dom.js';
import { inspector } from './inspector.js';

/** Lines that are kept, and that are shown. */
const KEPT = 4000;
const SHOWN = 200;

const ARROWS = { up: '↑', down: '↓', here: '·' } as const;
const SPOKEN = { up: 'sent', down: 'received', here: 'here' } as const;

export class Timeline {
  readonly element: HTMLElement;
  readonly entries: Entry[] = [];
  #list = el('ol', { class: 'lines', 'aria-label': 'Timeline, newest last' });
  #inspection = el('div', { class: 'inspection', tabindex: 0, role: 'region', 'aria-label': 'What the chosen line holds' });
  #text = el('input', { type: 'search', placeholder: 'hello, tts, #12 …', oninput: () => this.#draw() });
  #kinds = new Set<Entry['kind']>(['message', 'state', 'error']);
  #paused = false;
  #chosen: number | undefined;
  /** Lines were added while the list could not be seen. */
  #stale = true;

  constructor(private readonly inspect: (number: number) => Promise<Inspection | undefined>) {
    const kinds = (['message', 'audio', 'state', 'error'] as const).map((kind) => {
      const box = el('input', {
        type: 'checkbox',
        checked: this.#kinds.has(kind),
        onchange: () => {
          if (box.checked) this.#kinds.add(kind);
          else this.#kinds.delete(kind);
          this.#draw();
        },
      });
      return el('label', { class: 'check' }, box, KINDS[kind]);
    });
    const pause = el('button', {
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => {
        this.#paused = !this.#paused;
        pause.setAttribute('aria-pressed', String(this.#paused));
        pause.textContent = this.#paused ? 'Go on' : 'Pause';
        this.#draw();
      },
    }, 'Pause');
    this.element = el(
      'div',
      { class: 'timeline' },
      el('div', { class: 'row' }, field('Filter', this.#text), el('fieldset', { class: 'checks' }, el('legend', {}, 'Show'), ...kinds), pause),
      el('div', { class: 'split' }, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Timeline' }, this.#list), this.#inspection),
    );
    this.#inspection.append(el('p', { class: 'quiet' }, 'Choose a line to look into it. Packets show their header, the Opus TOC and their bytes.'));
  }

  add(entries: Entry[]): void {
    this.entries.push(...entries);
    if (this.entries.length > KEPT) this.entries.splice(0, this.entries.length - KEPT);
    if (this.#paused) return;
    if (this.#stale || !this.#isSeen) return this.#draw();
    // What is there stays, so that it can be clicked.
    const below = this.#isBelow;
    this.#list.append(...entries.filter((entry) => this.#fits(entry)).map((entry) => this.#line(entry)));
    while (this.#list.children.length > SHOWN) this.#list.firstElementChild?.remove();
    if (below) this.#toEnd();
  }

  get #isSeen(): boolean {
    return this.element.offsetParent !== null;
  }

  get #isBelow(): boolean {
    const scroll = this.#list.parentElement;
    return scroll === null || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
  }

  #toEnd(): void {
    const scroll = this.#list.parentElement;
    if (scroll) scroll.scrollTop = scroll.scrollHeight;
  }

  #fits(entry: Entry): boolean {
    const filter = this.#text.value.toLowerCase();
    return this.#kinds.has(entry.kind) && (filter === '' || entry.text.toLowerCase().includes(filter));
  }

  /** All lines afresh: the filter is another, or what is shown is old. */
  #draw(): void {
    this.#stale = !this.#isSeen;
    if (this.#paused || this.#stale) return;
    const below = this.#isBelow;
    const fitting = this.entries.filter((entry) => this.#fits(entry)).slice(-SHOWN);
    this.#list.replaceChildren(...fitting.map((entry) => this.#line(entry)));
    if (below) this.#toEnd();
  }

  #line(entry: Entry): HTMLLIElement {
    const choose = (): void => {
      this.#chosen = entry.number;
      for (const other of this.#list.querySelectorAll('[aria-current]')) other.removeAttribute('aria-current');
      line.setAttribute('aria-current', 'true');
      void this.#look(entry);
    };
    const line = el(
      'button',
      { type: 'button', class: `line ${entry.kind}`, 'data-number': entry.number, onclick: choose, 'aria-current': this.#chosen === entry.number ? 'true' : undefined },
      el('span', { class: 'time' }, (entry.time / 1000).toFixed(3)),
      el('span', { class: `arrow ${entry.direction}`, 'aria-label': SPOKEN[entry.direction], role: 'img' }, ARROWS[entry.direction]),
      el('span', { class: 'said' }, entry.text),
    );
    return el('li', {}, line);
  }

  async #look(entry: Entry): Promise<void> {
    const inspection = entry.kind === 'audio' ? await this.inspect(entry.number) : undefined;
    this.#inspection.replaceChildren(inspector(entry, inspection));
  }
}

const KINDS = { message: 'messages', audio: 'packets', state: 'states', error: 'errors' } as const;
