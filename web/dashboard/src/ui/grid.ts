// A table of thousands of rows: sorted and filtered as a whole, written only as far as it is seen.

import { el } from '../../../ui/dom.js';
import { count } from '../data/format.js';
import { write } from './parts.js';

export interface Column<T> {
  title: string;
  /** What it is sorted by. */
  value(row: T): string | number | null;
  text(row: T): string;
  /** More of it, where the pointer rests. */
  more?(row: T): string;
  /** Left out where there is little room. */
  spare?: boolean;
  number?: boolean;
}

/** Rows that are written beyond either edge. */
const BEYOND = 6;

const ROW = 36;

export class Grid<T> {
  readonly element: HTMLElement;
  readonly #columns: readonly Column<T>[];
  readonly #id: (row: T) => string;
  readonly #href: (row: T) => string;
  readonly #table: HTMLTableElement;
  readonly #body = el('tbody');
  readonly #above = el('tr', { class: 'gap', 'aria-hidden': 'true' }, el('td'));
  readonly #below = el('tr', { class: 'gap', 'aria-hidden': 'true' }, el('td'));
  readonly #scroller: HTMLElement;
  readonly #counted = el('p', { class: 'quiet counted', role: 'status' });
  readonly #heads: HTMLTableCellElement[];
  #rows: readonly T[] = [];
  #shown: T[] = [];
  #filter = '';
  #sort: { column: number; down: boolean };
  #written = new Map<string, HTMLTableRowElement>();
  #active = '';
  #due = 0;

  constructor(caption: string, columns: readonly Column<T>[], id: (row: T) => string, href: (row: T) => string, sort: { column: number; down: boolean }) {
    this.#columns = columns;
    this.#id = id;
    this.#href = href;
    this.#sort = sort;
    this.#heads = columns.map(({ title, spare, number }, column) =>
      el(
        'th',
        { scope: 'col', class: `${spare ? 'spare' : ''} ${number ? 'number' : ''}` },
        el('button', { type: 'button', onclick: () => this.#sortBy(column) }, title, el('span', { class: 'arrow', 'aria-hidden': 'true' })),
      ),
    );
    this.#table = el('table', { class: 'grid' }, el('caption', { class: 'unseen' }, caption), el('thead', {}, el('tr', { 'aria-rowindex': 1 }, ...this.#heads)), this.#body);
    this.#scroller = el('div', { class: 'scroller', onscroll: () => this.#soon() }, this.#table);
    this.element = el('div', {}, this.#counted, this.#scroller);
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('focusin', ({ target }) => (this.#active = (target as Element).closest('tr')?.dataset['id'] ?? ''));
    new ResizeObserver(() => this.#soon()).observe(this.#scroller);
  }

  show(rows: readonly T[]): void {
    this.#rows = rows;
    this.#choose();
  }

  filter(text: string): void {
    this.#filter = text.trim().toLowerCase();
    this.#scroller.scrollTop = 0;
    this.#choose();
  }

  #sortBy(column: number): void {
    // Numbers are looked for from the highest.
    const down = this.#sort.column === column ? !this.#sort.down : this.#columns[column]?.number === true;
    this.#sort = { column, down };
    this.#scroller.scrollTop = 0;
    this.#choose();
  }

  #choose(): void {
    const { column, down } = this.#sort;
    const by = this.#columns[column];
    if (!by) return;
    const words = this.#filter.split(/\s+/).filter(Boolean);
    const fits = (row: T): boolean => {
      const text = this.#columns.map((each) => `${each.text(row)} ${each.more?.(row) ?? ''}`).join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const keyed = (words.length > 0 ? this.#rows.filter(fits) : this.#rows).map((row) => ({ row, key: by.value(row), id: this.#id(row) }));
    const sign = down ? -1 : 1;
    // What is not known stands last, whichever way.
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
      if (a.key !== b.key) return a.key < b.key ? -sign : sign;
      return a.id < b.id ? -1 : 1;
    });
    this.#shown = keyed.map(({ row }) => row);
    this.#heads.forEach((head, index) => head.setAttribute('aria-sort', index !== column ? 'none' : down ? 'descending' : 'ascending'));
    this.#table.setAttribute('aria-rowcount', String(this.#shown.length + 1));
    const all = this.#rows.length;
    write(this.#counted, this.#filter === '' ? `${count(all)} ${all === 1 ? 'session' : 'sessions'}` : `${count(this.#shown.length)} of ${count(all)} sessions`);
    this.#draw();
  }

  #soon(): void {
    this.#due ||= requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#due = 0;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const last = Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const focused = this.#body.contains(document.activeElement);
    const before = this.#written;
    this.#written = new Map();
    const rows: HTMLTableRowElement[] = [];
    for (let index = first; index < last; index++) {
      const row = this.#shown[index] as T;
      const id = this.#id(row);
      const element = before.get(id) ?? this.#make(id);
      this.#update(element, row, index);
      this.#written.set(id, element);
      rows.push(element);
    }
    height(this.#above, first * ROW);
    height(this.#below, (this.#shown.length - last) * ROW);
    const wanted = [this.#above, ...rows, this.#below];
    // Rows that are at their place are not touched: one that is moved loses the focus.
    for (const gone of [...this.#body.rows].filter((row) => !wanted.includes(row))) gone.remove();
    wanted.forEach((row, index) => {
      if (this.#body.rows[index] !== row) this.#body.insertBefore(row, this.#body.rows[index] ?? null);
    });
    const active = this.#written.get(this.#active) ?? rows.find((row) => row.offsetTop >= scrollTop) ?? rows[0];
    for (const row of rows) link(row).tabIndex = row === active ? 0 : -1;
    if (focused && active && document.activeElement !== link(active)) link(active).focus({ preventScroll: true });
  }

  #make(id: string): HTMLTableRowElement {
    const cells = this.#columns.map(({ spare, number }, index) => {
      const attributes = { class: `${spare ? 'spare' : ''} ${number ? 'number' : ''}` };
      return index === 0 ? el('th', { scope: 'row', ...attributes }, el('a')) : el('td', attributes);
    });
    const row = el('tr', { 'data-id': id }, ...cells);
    row.addEventListener('click', ({ target }) => {
      // Text that is being selected is not a click; a link does it by itself.
      if (!(target as Element).closest('a') && getSelection()?.isCollapsed) link(row).click();
    });
    return row;
  }

  #update(element: HTMLTableRowElement, row: T, index: number): void {
    element.setAttribute('aria-rowindex', String(index + 2));
    element.classList.toggle('odd', index % 2 === 1);
    this.#columns.forEach((column, at) => {
      const cell = element.cells[at] as HTMLElement;
      const holder = at === 0 ? link(element) : cell;
      write(holder, column.text(row));
      const more = column.more?.(row) ?? '';
      if (cell.title !== more) cell.title = more;
    });
    const href = this.#href(row);
    if (link(element).getAttribute('href') !== href) link(element).setAttribute('href', href);
  }

  /** The arrow keys go from row to row, Home and End to either end. */
  #key(event: KeyboardEvent): void {
    const from = this.#shown.findIndex((row) => this.#id(row) === this.#active);
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / ROW) - 2);
    const last = this.#shown.length - 1;
    const steps: Record<string, number> = { ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: last };
    const to = steps[event.key];
    if (to === undefined || from < 0) return;
    event.preventDefault();
    const index = Math.min(Math.max(to, 0), last);
    this.#active = this.#id(this.#shown[index] as T);
    const head = (this.#table.tHead?.offsetHeight ?? 0) + 4;
    const { scrollTop, clientHeight } = this.#scroller;
    if (index * ROW < scrollTop) this.#scroller.scrollTop = index * ROW;
    else if ((index + 1) * ROW + head > scrollTop + clientHeight) this.#scroller.scrollTop = (index + 1) * ROW + head - clientHeight;
    this.#draw();
  }
}

const link = (row: HTMLTableRowElement): HTMLAnchorElement => row.querySelector('a') as HTMLAnchorElement;

function height(gap: HTMLTableRowElement, pixels: number): void {
  (gap.cells[0] as HTMLElement).style.height = `${pixels}px`;
  gap.hidden = pixels === 0;
}
