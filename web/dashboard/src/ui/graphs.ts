// Numbers over time, for a quarter of an hour to thirty days. One moment is looked at in all graphs.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { el } from '../../../ui/dom.js';
import { type History, RANGES, type Range, history } from '../data/api.js';
import { bytes, clock, date, decimal, inUnit, when } from '../data/format.js';
import { type Live, said } from '../data/live.js';
import { panel, segments, write } from './parts.js';

/** As in the table of docs/api.md, what it is called here, and a colour of ours. */
type Line = [series: string, label: string, colour: string];

interface Graph {
  title: string;
  unit: string;
  lines: Line[];
  /** In steps: each value holds until the next. */
  stepped?: boolean;
  /** The axis goes to here at least. */
  least?: number;
}

const TITLES: Record<Range, string> = { '15m': '15 min', '1h': '1 h', '6h': '6 h', '24h': '24 h', '7d': '7 d', '30d': '30 d' };
const LEVELS = ['minimal', 'medium', 'full'];
const HEIGHT = 132;
/** Round numbers of bytes, for the axis. */
const BINARY = Array.from({ length: 24 }, (_, power) => 2 ** (power + 16));

const GRAPHS: readonly Graph[] = [
  { title: 'Sessions', unit: '', lines: [['calls', 'sessions', '--one'], ['devices', 'devices', '--two']], least: 4 },
  {
    title: 'Latency, queue and guest',
    unit: 'ms',
    lines: [
      ['total_p50_ms', 'p50', '--one'],
      ['total_p95_ms', 'p95', '--two'],
      ['total_p99_ms', 'p99', '--three'],
    ],
    least: 1,
  },
  { title: 'Lost on the way here', unit: 'percent', lines: [['loss_percent', 'lost', '--bad']], least: 1 },
  {
    title: 'Lost, concealed, late',
    unit: 'a second',
    lines: [
      ['uplink_lost', 'lost', '--bad'],
      ['uplink_concealed', 'concealed', '--one'],
      ['downlink_late', 'late', '--three'],
    ],
    least: 1,
  },
  { title: 'Quality, lowest step', unit: 'level', lines: [['quality_level', 'step', '--one']], stepped: true, least: 2 },
  { title: 'Frames that wait', unit: '', lines: [['queue_depth', 'queue', '--two']], least: 4 },
  {
    title: 'Shed and failed',
    unit: 'a second',
    lines: [
      ['shed', 'shed', '--three'],
      ['restarts', 'restarts', '--bad'],
      ['refused', 'refused', '--two'],
    ],
    least: 1,
  },
  { title: 'Memory', unit: 'bytes', lines: [['resident_memory', 'process', '--one'], ['instance_memory', 'instances', '--two']], least: 1 << 20 },
  { title: 'Keystream shared', unit: 'a second', lines: [['keystream_overlaps', 'packets', '--bad']], least: 1 },
];

const SERIES = GRAPHS.flatMap(({ lines }) => lines.map(([series]) => series));

/** A value of a graph, as text. */
function shown(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'level') return LEVELS[value] ?? decimal(value);
  if (unit === 'a second') return `${decimal(value)}/s`;
  return inUnit(unit === '' ? Math.round(value * 10) / 10 : value, unit);
}

/** On the axis there is little room. */
function tick(value: number, unit: string): string {
  if (unit === 'bytes') return value === 0 ? '0' : bytes(value).replace(/\.0 /, ' ').replace('iB', '');
  if (unit === 'level') return LEVELS[value] ?? '';
  return value >= 10_000 ? `${value / 1000} k` : String(Math.round(value * 1000) / 1000);
}

export class Graphs {
  readonly element: HTMLElement;
  /** Hears of each history that was fetched. */
  onhistory: (history: History) => void = () => {};
  #range: Range;
  #history: History | undefined;
  #plots: uPlot[] = [];
  #timer = 0;
  #asked = 0;
  #figures = GRAPHS.map(({ title, lines }) => {
    const values = lines.map(([, , colour]) => {
      const value = el('span', { class: 'value' });
      value.style.setProperty('--colour', `var(${colour})`);
      return value;
    });
    const plot = el('div', { class: 'plot', 'aria-hidden': 'true' });
    return { values, plot, element: el('figure', {}, el('figcaption', {}, el('span', { class: 'title' }, title), ...values), plot) };
  });
  readonly #grid = el('div', { class: 'graphs' }, ...this.#figures.map(({ element }) => element));
  readonly #empty = el('p', { class: 'empty' });
  readonly #moment = el('input', { type: 'range', min: 0, max: 1, value: 1, 'aria-label': 'Moment that is looked at' });
  readonly #time = el('output', { class: 'quiet' });
  readonly #stop: (() => void)[];

  constructor(live: Live, range: Range, changed: (range: Range) => void) {
    this.#range = range;
    const choose = segments('Range', RANGES.map((name) => [name, TITLES[name]] as const), range, (chosen) => {
      this.#range = chosen;
      changed(chosen);
      void this.#fetch();
    });
    this.element = panel('Over time', this.#empty, this.#grid);
    this.element.querySelector('.head')?.append(el('div', { class: 'moment' }, this.#moment, this.#time), choose);
    this.#moment.addEventListener('input', () => this.#look(Number(this.#moment.value)));
    const watch = new ResizeObserver(() => this.#resize());
    watch.observe(this.#grid);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const paint = (): void => this.#make();
    dark.addEventListener('change', paint);
    const seen = (): void => void (document.hidden || this.#fetch());
    document.addEventListener('visibilitychange', seen);
    this.#stop = [
      () => watch.disconnect(),
      () => dark.removeEventListener('change', paint),
      () => document.removeEventListener('visibilitychange', seen),
      live.on('again', () => void this.#fetch()),
    ];
    void this.#fetch();
  }

  close(): void {
    this.#asked += 1;
    clearTimeout(this.#timer);
    for (const stop of this.#stop) stop();
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
  }

  async #fetch(): Promise<void> {
    clearTimeout(this.#timer);
    // An answer to an earlier question is not shown after that to a later one.
    this.#asked += 1;
    const asked = this.#asked;
    let next = 5;
    try {
      const told = await history(this.#range, SERIES);
      if (asked !== this.#asked) return;
      next = Math.min(told.step, 60);
      this.#take(told);
    } catch (error) {
      if (asked !== this.#asked) return;
      // What was fetched before stays; that it is old is said in the header.
      if (!this.#history) this.#say(`No graphs: ${said(error)}.`);
    }
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.#fetch(), next * 1000);
  }

  #say(text: string): void {
    write(this.#empty, text);
    this.#empty.hidden = text === '';
  }

  #take(told: History): void {
    const atEnd = !this.#history || Number(this.#moment.value) >= Number(this.#moment.max);
    const anew = this.#history?.range !== told.range || this.#plots.length === 0;
    this.#history = told;
    const any = SERIES.some((name) => told.series[name]?.some((value) => value !== null));
    this.#say(any ? '' : `Nothing yet: the first point stands here ${told.step} seconds after the gateway's start.`);
    this.#moment.max = String(told.times.length - 1);
    if (atEnd) this.#moment.value = this.#moment.max;
    if (anew) this.#make();
    else GRAPHS.forEach((graph, index) => this.#plots[index]?.setData(this.#data(graph)));
    this.#look(Number(this.#moment.value), false);
    this.onhistory(told);
  }

  #data({ lines }: Graph): uPlot.AlignedData {
    const told = this.#history;
    if (!told) return [[]];
    return [told.times.map((time) => time / 1000), ...lines.map(([series]) => told.series[series] ?? told.times.map(() => null))];
  }

  /** Shows the values of one step; the last that has any, where it is the end. */
  #look(index: number, move = true): void {
    const told = this.#history;
    if (!told) return;
    const end = told.times.length - 1;
    const known = index < end ? index : told.times.findLastIndex((_, at) => SERIES.some((name) => (told.series[name]?.[at] ?? null) !== null));
    const at = known < 0 ? end : known;
    GRAPHS.forEach(({ lines, unit }, graph) =>
      lines.forEach(([series, label], line) => {
        const value = this.#figures[graph]?.values[line];
        if (value) write(value, `${lines.length > 1 ? `${label} ` : ''}${shown(told.series[series]?.[at], unit)}`);
      }),
    );
    const time = told.times[at] ?? told.to;
    const text = index < end ? when(time) : `now, ${clock(time)}`;
    write(this.#time, text);
    this.#moment.setAttribute('aria-valuetext', text);
    if (!move) return;
    for (const plot of this.#plots) plot.setCursor({ left: index < end ? plot.valToPos(time / 1000, 'x') : -10, top: index < end ? 0 : -10 }, false);
  }

  #make(): void {
    for (const plot of this.#plots) plot.destroy();
    const told = this.#history;
    if (!told) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => resolved(style.getPropertyValue(name).trim());
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--rule'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const days = told.to - told.from > 25 * 3_600_000;
    this.#plots = GRAPHS.map((graph, index) => {
      const at = this.#figures[index]?.plot as HTMLElement;
      const { unit, lines, least = 1, stepped } = graph;
      return new uPlot(
        {
          width: Math.max(at.clientWidth, 160),
          height: HEIGHT,
          padding: [8, 14, 0, 0],
          legend: { show: false },
          cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'moment' }, points: { size: 6 } },
          scales: {
            x: { time: true, range: () => [(this.#history?.from ?? 0) / 1000, (this.#history?.to ?? 1) / 1000] },
            y: { range: (_plot, _min, max) => [0, Math.max((max ?? 0) * 1.12, least)] },
          },
          axes: [
            { ...axis, size: 24, space: 64, values: (_plot, splits) => splits.map((split) => (days ? date(split * 1000) : clock(split * 1000).slice(0, 5))) },
            { ...axis, size: 54, space: 26, ...(unit === 'level' ? { splits: [0, 1, 2] } : {}), ...(unit === 'bytes' ? { incrs: BINARY } : {}), values: (_plot, splits) => splits.map((split) => tick(split, unit)) },
          ],
          series: [
            {},
            ...lines.map(([, label, name], line) => ({
              label,
              stroke: colour(name),
              width: 1.75,
              ...(lines.length === 1 || (line === 0 && unit === '') ? { fill: `color-mix(in srgb, ${colour(name)} 12%, transparent)` } : {}),
              ...(stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
              points: { size: 4, filter: alone },
            })),
          ],
          hooks: { setCursor: [(plot) => this.#hover(plot)] },
        },
        this.#data(graph),
        at,
      );
    });
    this.#figures.forEach(({ plot }) => plot.addEventListener('mouseleave', () => this.#look(Number(this.#moment.max)), { passive: true }));
  }

  /** The pointer is over a graph: that is the moment. */
  #hover(plot: uPlot): void {
    const index = plot.cursor.idx;
    if (index === null || index === undefined || (plot.cursor.left ?? -1) < 0) return;
    this.#moment.value = String(index);
    this.#look(index, false);
  }

  #resize(): void {
    this.#plots.forEach((plot, index) => {
      const width = this.#figures[index]?.plot.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    });
  }
}

/** Points with a gap on either side would be no line at all: they are drawn as points. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const none = (index: number): boolean => (values[index] ?? null) === null;
  return [...values.keys()].filter((index) => !none(index) && none(index - 1) && none(index + 1));
}

/** A canvas knows no `light-dark()`: the colour that it stands for now. */
function resolved(colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  probe.hidden = true;
  document.body.append(probe);
  const seen = getComputedStyle(probe).color;
  probe.remove();
  return seen;
}
