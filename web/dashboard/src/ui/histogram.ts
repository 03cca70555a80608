// How long frames took: in the queue, in the guest, and both together.

import { el } from '../../../ui/dom.js';
import type { History, Stats } from '../data/api.js';
import { count, decimal, ms } from '../data/format.js';
import { fill, panel, segments, write } from './parts.js';

const KINDS = ['queue', 'guest', 'total'] as const;

type Over = 'minute' | 'range';

export class Histograms {
  readonly #body = el('tbody');
  readonly #head = KINDS.map(() => el('small'));
  readonly #empty = el('p', { class: 'empty' }, 'No frames in this time.');
  readonly #table = el(
    'table',
    { class: 'bars' },
    el('caption', { class: 'unseen' }, 'Frames by how long they took'),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Up to'), ...KINDS.map((kind, index) => el('th', { scope: 'col' }, kind[0]?.toUpperCase() + kind.slice(1), this.#head[index])))),
    this.#body,
  );
  readonly element: HTMLElement;
  #over: Over = 'minute';
  #now: Stats | undefined;
  #history: History | undefined;

  constructor() {
    this.element = panel('Latency', this.#empty, this.#table);
    const over = segments('Time that is counted', [['minute', 'Last minute'], ['range', 'Range above']] as const, this.#over, (chosen) => {
      this.#over = chosen;
      this.#draw();
    });
    this.element.querySelector('.head')?.append(over);
  }

  show(now: Stats): void {
    this.#now = now;
    this.#draw();
  }

  showRange(history: History): void {
    this.#history = history;
    this.#draw();
  }

  #draw(): void {
    if (!this.#now) return;
    const { recent } = this.#now;
    const minute = this.#over === 'minute';
    const bounds = (minute ? recent.boundsMs : this.#history?.boundsMs) ?? [];
    const counts = KINDS.map((kind) => (minute ? recent[kind].counts : (this.#history?.histograms[kind] ?? [])));
    const sums = counts.map((all) => all.reduce((sum, value) => sum + value, 0));
    const any = sums.some((sum) => sum > 0);
    this.#empty.hidden = any;
    this.#table.hidden = !any;
    KINDS.forEach((kind, index) => write(this.#head[index] as Element, minute ? `p99 ${ms(recent[kind].latency.p99)}` : `${count(sums[index] ?? 0)} frames`));
    // Buckets without a frame at either end say nothing.
    const used = (bucket: number): boolean => counts.some((all) => (all[bucket] ?? 0) > 0);
    const buckets = [...Array(bounds.length + 1).keys()];
    const [from, to] = [buckets.findIndex(used), buckets.findLastIndex(used)];
    const kept = buckets.slice(Math.max(from, 0), to + 1);
    fill(this.#body, kept.join(), () =>
      kept.map((bucket) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, bucket < bounds.length ? `${bounds[bucket]} ms` : 'longer'),
          ...KINDS.map(() => el('td', {}, el('span', { class: 'bar', 'aria-hidden': 'true' }), el('span'))),
        ),
      ),
    );
    kept.forEach((bucket, row) =>
      KINDS.forEach((_, kind) => {
        const [value, sum] = [counts[kind]?.[bucket] ?? 0, sums[kind] ?? 0];
        const share = sum > 0 ? (100 * value) / sum : 0;
        const cell = this.#body.rows[row]?.cells[kind + 1];
        const [bar, text] = [cell?.firstElementChild as HTMLElement, cell?.lastElementChild as HTMLElement];
        bar.style.setProperty('--share', String(share / 100));
        write(text, value === 0 ? '' : `${decimal(share)} %`);
        text.title = `${count(value)} frames`;
      }),
    );
  }
}
