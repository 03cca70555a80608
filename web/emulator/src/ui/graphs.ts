// The last minute in lines: bitrate, jitter, depth, and what was lost and made up.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Statistics } from '../messages.js';
import { el } from '../../../ui/dom.js';

const SPAN = 60;
const POINTS = SPAN * 4;

interface Line {
  label: string;
  colour: string;
  value(now: Statistics, before: Statistics): number;
}

interface Graph {
  title: string;
  unit: string;
  lines: Line[];
}

const seconds = (now: Statistics, before: Statistics): number => Math.max((now.time - before.time) / 1000, 0.001);

const GRAPHS: Graph[] = [
  {
    title: 'Bitrate',
    unit: 'kbit/s',
    lines: [
      { label: 'up', colour: '--one', value: (now, before) => ((now.sentBytes - before.sentBytes) * 8) / 1000 / seconds(now, before) },
      { label: 'down', colour: '--two', value: (now, before) => ((now.down.bytes - before.down.bytes) * 8) / 1000 / seconds(now, before) },
    ],
  },
  { title: 'Inter-arrival jitter', unit: 'ms', lines: [{ label: 'jitter', colour: '--two', value: (now) => now.down.jitter }] },
  {
    title: 'Buffer',
    unit: 'packets',
    lines: [
      { label: 'depth', colour: '--two', value: (now) => now.down.depth },
      { label: 'target', colour: '--three', value: (now) => now.down.target },
    ],
  },
  {
    title: 'Trouble',
    unit: 'packets',
    lines: [
      { label: 'lost', colour: '--bad', value: (now) => now.down.lost },
      { label: 'late', colour: '--three', value: (now) => now.down.late },
      { label: 'concealed', colour: '--one', value: (now) => now.down.concealed + now.down.recovered },
    ],
  },
];

export class Graphs {
  readonly #graphs = el('div', { class: 'graphs', hidden: true });
  readonly #none = el('p', { class: 'quiet' }, 'Bitrate, jitter, buffer and trouble are drawn here once a session begins.');
  readonly element = el('div', {}, this.#none, this.#graphs);
  #before: Statistics | undefined;
  #times: number[] = [];
  #values: number[][][] = GRAPHS.map(({ lines }) => lines.map(() => []));
  #plots: uPlot[] = [];
  #figures: HTMLElement[] = [];

  constructor() {
    for (const { title, unit } of GRAPHS) {
      this.#graphs.append(el('figure', {}, el('figcaption', {}, title, el('small', {}, ` ${unit}`), el('output', { class: 'now' })), el('div', { class: 'plot', 'aria-hidden': 'true' })));
    }
    this.#figures = [...this.#graphs.querySelectorAll('figure')];
    new ResizeObserver(() => this.#resize()).observe(this.element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
  }

  add(now: Statistics): void {
    const before = this.#before;
    this.#before = now;
    if (!before || now.sent < before.sent) return;
    this.#times.push(now.time / 1000);
    GRAPHS.forEach(({ lines }, graph) =>
      lines.forEach(({ value }, line) => this.#values[graph]?.[line]?.push(value(now, before))),
    );
    if (this.#times.length > POINTS) {
      this.#times.shift();
      for (const line of this.#values.flat()) line.shift();
    }
    [this.#graphs.hidden, this.#none.hidden] = [false, true];
    if (this.element.offsetParent === null) return;
    if (this.#plots.length === 0) this.#make();
    GRAPHS.forEach(({ lines }, graph) => {
      const values = this.#values[graph] ?? [];
      this.#plots[graph]?.setData([this.#times, ...values] as uPlot.AlignedData);
      const figures = lines.map(({ label }, line) => `${label} ${(values[line]?.at(-1) ?? 0).toFixed(label === 'jitter' || graph === 0 ? 1 : 0)}`);
      const output = this.#figures[graph]?.querySelector('output');
      if (output) output.textContent = figures.join(' · ');
    });
  }

  #make(): void {
    for (const plot of this.#plots) plot.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--rule'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    this.#plots = GRAPHS.map(({ lines }, graph) => {
      const at = this.#figures[graph]?.querySelector<HTMLElement>('.plot');
      if (!at) throw new Error('no place for a graph');
      const series = lines.map(({ label, colour: name }) => ({ label, stroke: colour(name), width: 1.5, points: { show: false } }));
      return new uPlot(
        {
          width: Math.max(at.clientWidth, 120),
          height: 110,
          cursor: { show: false },
          legend: { show: false },
          scales: {
            x: { time: false, range: (_plot, _min, max) => [max - SPAN, max] },
            y: { range: (_plot, _min, max) => [0, Math.max(max * 1.15, 1)] },
          },
          axes: [
            { ...axis, size: 22, splits: (plot) => [-45, -30, -15, 0].map((ago) => (plot.scales['x']?.max ?? 0) + ago), values: (plot, splits) => splits.map((split) => `${Math.round(split - (plot.scales['x']?.max ?? 0))} s`) },
            { ...axis, size: 38 },
          ],
          series: [{}, ...series],
        },
        [this.#times, ...(this.#values[graph] ?? [])] as uPlot.AlignedData,
        at,
      );
    });
  }

  #resize(): void {
    this.#plots.forEach((plot, graph) => {
      const at = this.#figures[graph]?.querySelector<HTMLElement>('.plot');
      if (at && at.clientWidth > 0) plot.setSize({ width: at.clientWidth, height: 110 });
    });
  }
}
