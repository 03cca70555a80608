// What was said and sent, line by line, to be filtered, held still, and looked into.

import type { Entry, Inspection } from '../messages.js';
import { el, field } from '../../../ui/dom.js';
import { inspector } from './inspector.js';

/** Lines that are kept, and that are shown. */
const KEPT = 4000;
const SHOWN = 200;

/** Letters of a line: there is no room for more. */
const LETTERS = 400;

const ARROWS = { up: '↑', down: '↓', here: '·' } as const;
const SPOKEN = { up: 'sent', down: 'received', here: 'here' } as const;

export class Timeline {
  readonly element: HTMLElement;
  readonly entries: Entry[] = [];
  #list = el('ol', { class: 'lines', 'aria-label': 'Timeline, newest last' });
  #inspection = el('div', { class: 'inspection', tabindex: 0, role: 'region', 'aria-label': 'What the chosen line holds' });
  #text = el('input', { type: 'search', placeholder: 'hello, tts, #12 …', oninput: () => this.#draw() });
  #kinds = new Set<Entry['kind']>(['message', 'state', 'error']);
  /** While it is paused: the last line that is shown. */
  #upTo: number | undefined;
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
        this.#upTo = this.#upTo === undefined ? (this.entries.at(-1)?.number ?? 0) : undefined;
        const paused = this.#upTo !== undefined;
        pause.setAttribute('aria-pressed', String(paused));
        pause.textContent = paused ? 'Go on' : 'Pause';
        this.#draw();
      },
    }, 'Pause');
    this.element = el(
      'div',
      { class: 'timeline' },
      el('div', { class: 'row' }, field('Filter', this.#text), el('fieldset', { class: 'checks' }, el('legend', {}, 'Show'), ...kinds), pause),
      el('div', { class: 'split' }, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Timeline' }, this.#list), this.#inspection),
    );
    this.#list.addEventListener('keydown', (event) => this.#key(event));
    this.#inspection.append(el('p', { class: 'quiet' }, 'Choose a line to look into it. Packets show their header, the Opus TOC and their bytes.'));
  }

  add(entries: Entry[]): void {
    this.entries.push(...entries);
    if (this.entries.length > KEPT) this.entries.splice(0, this.entries.length - KEPT);
    if (this.#upTo !== undefined) return;
    if (this.#stale || !this.#isSeen) return this.#draw();
    // What is there stays, so that it can be clicked.
    const below = this.#isBelow;
    this.#list.append(...entries.filter((entry) => this.#fits(entry)).map((entry) => this.#line(entry)));
    while (this.#list.children.length > SHOWN) this.#list.firstElementChild?.remove();
    this.#reach();
    // Not from under the eyes of one who walks through the lines.
    if (below && !this.#list.querySelector(':focus-visible')) this.#toEnd();
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
    const held = this.#upTo !== undefined && entry.number > this.#upTo;
    return !held && this.#kinds.has(entry.kind) && (filter === '' || entry.text.toLowerCase().includes(filter));
  }

  /** All lines afresh: the filter is another, or what is shown is old. */
  #draw(): void {
    this.#stale = !this.#isSeen;
    if (this.#stale) return;
    const below = this.#isBelow;
    const fitting = this.entries.filter((entry) => this.#fits(entry)).slice(-SHOWN);
    this.#list.replaceChildren(...fitting.map((entry) => this.#line(entry)));
    this.#reach();
    if (below) this.#toEnd();
  }

  /** One line is reached with Tab, the chosen one or the last; the arrow keys go on from there. */
  #reach(): void {
    const lines = [...this.#list.querySelectorAll<HTMLButtonElement>('.line')];
    const reached = lines.find((line) => line === document.activeElement || line.hasAttribute('aria-current')) ?? lines.at(-1);
    for (const line of lines) line.tabIndex = line === reached ? 0 : -1;
  }

  /** The arrow keys go from line to line, Home and End to either end; where they come to is looked into. */
  #key(event: KeyboardEvent): void {
    const item = (event.target as Element).closest('li');
    const { firstElementChild: first, lastElementChild: last } = this.#list;
    const steps: Record<string, Element | null | undefined> = { ArrowUp: item?.previousElementSibling, ArrowDown: item?.nextElementSibling, Home: first, End: last };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const line = steps[event.key]?.querySelector<HTMLButtonElement>('.line');
    line?.focus();
    line?.click();
  }

  #line(entry: Entry): HTMLLIElement {
    const choose = (): void => {
      this.#chosen = entry.number;
      for (const other of this.#list.querySelectorAll('[aria-current]')) other.removeAttribute('aria-current');
      line.setAttribute('aria-current', 'true');
      this.#reach();
      void this.#look(entry);
    };
    const line = el(
      'button',
      { type: 'button', class: `line ${entry.kind}`, 'data-number': entry.number, onclick: choose, 'aria-current': this.#chosen === entry.number ? 'true' : undefined },
      el('span', { class: 'time' }, (entry.time / 1000).toFixed(3)),
      el('span', { class: `arrow ${entry.direction}`, 'aria-label': SPOKEN[entry.direction], role: 'img' }, ARROWS[entry.direction]),
      el('span', { class: 'said' }, entry.text.slice(0, LETTERS)),
    );
    return el('li', {}, line);
  }

  async #look(entry: Entry): Promise<void> {
    const inspection = entry.kind === 'audio' ? await this.inspect(entry.number) : undefined;
    // Another line may have been chosen meanwhile.
    if (this.#chosen === entry.number) this.#inspection.replaceChildren(inspector(entry, inspection));
  }
}

const KINDS = { message: 'messages', audio: 'packets', state: 'states', error: 'errors' } as const;
