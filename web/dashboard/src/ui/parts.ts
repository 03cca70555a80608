// Small things that several views are made of.

import { el } from '../../../ui/dom.js';

/** Writes what has changed, so that nothing is read out, selected or laid out anew without need. */
export function write(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Children, where they are others than before. */
export function fill(node: Element, key: string, children: () => (Node | string)[]): void {
  if ((node as HTMLElement).dataset['key'] === key) return;
  (node as HTMLElement).dataset['key'] = key;
  node.replaceChildren(...children());
}

/** A section with a heading. */
export function panel(title: string, ...children: Node[]): HTMLElement {
  const heading = el('h2', {}, title);
  return el('section', { class: 'panel', 'aria-label': title }, el('div', { class: 'head' }, heading), ...children);
}

/** One of several, as buttons; the arrow keys choose, as in any group of radio buttons. */
export function segments<T extends string>(label: string, options: readonly (readonly [T, string])[], value: T, change: (value: T) => void): HTMLFieldSetElement {
  const name = `segments-${label.replaceAll(' ', '-')}`;
  return el(
    'fieldset',
    { class: 'segments' },
    el('legend', { class: 'unseen' }, label),
    ...options.map(([option, title]) =>
      el(
        'label',
        {},
        el('input', { type: 'radio', name, value: option, checked: option === value, onchange: () => change(option) }),
        el('span', {}, title),
      ),
    ),
  );
}

/** Text to be taken along, with a button that does so where the browser lets it. */
export function command(text: string): HTMLElement {
  const copy = el(
    'button',
    {
      type: 'button',
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          copy.textContent = 'Copied';
        } catch {
          copy.textContent = 'Not allowed here';
        }
        setTimeout(() => (copy.textContent = 'Copy'), 2_000);
      },
    },
    'Copy',
  );
  return el('span', { class: 'command' }, el('code', {}, text), copy);
}

/** A table that is small enough to be written whole: keeps its rows while their number stays. */
export class SmallTable {
  readonly element: HTMLElement;
  #body = el('tbody');

  constructor(caption: string, columns: readonly string[], texts = false) {
    const head = columns.map((title) => el('th', { scope: 'col' }, title));
    this.element = el(
      'div',
      { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption },
      el('table', { class: texts ? 'figures texts' : 'figures' }, el('caption', { class: 'unseen' }, caption), el('thead', {}, el('tr', {}, ...head)), this.#body),
    );
  }

  /** The first of each row is its heading. */
  show(rows: readonly (readonly string[])[]): void {
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1);
    rows.forEach((cells, index) => {
      const row = this.#body.rows[index] ?? this.#body.appendChild(el('tr', {}, ...cells.map((_, cell) => (cell === 0 ? el('th', { scope: 'row' }) : el('td')))));
      cells.forEach((text, cell) => write(row.cells[cell] as HTMLElement, text));
    });
  }
}
