// What an operator asks first, each a figure with what belongs to it.

import { el } from '../../../ui/dom.js';
import type { Alerts, Quality, Stats } from '../data/api.js';
import { bytes, count, ms, percent, plural, words } from '../data/format.js';
import { write } from './parts.js';

interface Tile {
  title: string;
  /** What is counted or measured over, in a word or two. */
  over: string;
  /** Series that alert rules watch: one that fires marks the tile. */
  metrics: readonly string[];
  figure(now: Stats): string;
  more(now: Stats): string;
}

const RANK: Record<Quality, number> = { minimal: 0, medium: 1, full: 2 };
const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0);
const recent = (now: Stats, name: string): number => now.recent.values[name] ?? 0;
const causes = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([cause, n]) => `${words(cause)} ${count(n)}`)
    .join(' · ');

const worst = ({ workerStats }: Stats): Quality => workerStats.map(({ quality }) => quality).toSorted((a, b) => RANK[a] - RANK[b])[0] ?? 'full';

export const TILES: readonly Tile[] = [
  {
    title: 'Sessions',
    over: 'now',
    metrics: ['calls', 'devices', 'slots_used_percent', 'refused', 'hellos_refused', 'connections_refused', 'messages_limited'],
    figure: (now) => count(now.calls),
    more: (now) => `${count(now.slotsUsed)} of ${count(now.slots)} instances · ${plural(now.devices, 'device')}`,
  },
  {
    title: 'Latency, p99',
    over: 'last minute',
    metrics: ['total_p50_ms', 'total_p95_ms', 'total_p99_ms', 'guest_p50_ms', 'guest_p95_ms', 'guest_p99_ms'],
    figure: (now) => (now.recent.total.latency.count > 0 ? ms(now.recent.total.latency.p99) : '–'),
    more: ({ recent: { total } }) => (total.latency.count > 0 ? `p50 ${ms(total.latency.p50)} · p95 ${ms(total.latency.p95)}` : 'no frames'),
  },
  {
    title: 'Lost',
    over: 'last minute',
    metrics: ['loss_percent', 'uplink_lost', 'uplink_concealed', 'downlink_late', 'downlink_unsent'],
    figure: (now) => percent(now.recent.values['loss_percent']),
    more: (now) => `${count(recent(now, 'uplink_lost'))} lost · ${count(recent(now, 'uplink_concealed'))} concealed · ${count(recent(now, 'downlink_late'))} late`,
  },
  {
    title: 'Quality',
    over: 'lowest now',
    metrics: ['quality_level', 'quality_changes'],
    figure: (now) => worst(now),
    more: (now) => {
      const step = worst(now);
      const there = now.workerStats.filter(({ quality }) => quality === step).length;
      return `${there === now.workerStats.length ? 'all' : count(there)} of ${plural(now.workerStats.length, 'worker')} · ${plural(recent(now, 'quality_changes'), 'change')}`;
    },
  },
  {
    title: 'Queue',
    over: 'now',
    metrics: ['queue_depth', 'queue_p50_ms', 'queue_p95_ms', 'queue_p99_ms'],
    figure: (now) => count(now.pendingRequests),
    more: ({ recent: { queue } }) => (queue.latency.count > 0 ? `p99 of the wait ${ms(queue.latency.p99)}` : 'nothing waited'),
  },
  {
    title: 'Shed',
    over: 'last minute',
    metrics: ['shed', 'bridge_dropped'],
    figure: (now) => count(recent(now, 'shed')),
    more: (now) => `since start ${causes(now.shed) || 'none'}`,
  },
  {
    title: 'Restarts',
    over: 'since start',
    metrics: ['restarts', 'lost_frames', 'workers_replaced', 'reliefs'],
    figure: (now) => count(sum(Object.values(now.restarts))),
    more: (now) => [causes(now.restarts) || 'no instance failed', now.workersReplaced > 0 ? `${plural(now.workersReplaced, 'worker')} replaced` : ''].filter(Boolean).join(' · '),
  },
  {
    title: 'Memory',
    over: 'now',
    metrics: ['resident_memory', 'instance_memory'],
    figure: (now) => bytes(now.residentMemory),
    more: (now) => `of these, instances ${bytes(sum(Object.values(now.tenants).map(({ memory }) => memory)))}`,
  },
  {
    title: 'Overlaps',
    over: 'of keystream, since start',
    metrics: ['keystream_overlaps'],
    figure: (now) => count(sum(Object.values(now.tenants).map(({ keystreamOverlaps }) => keystreamOverlaps))),
    more: (now) => `${plural(recent(now, 'keystream_overlaps'), 'packet')} in the last minute`,
  },
];

export class Tiles {
  readonly #cells = TILES.map(({ title, over }) => {
    const figure = el('dd', { class: 'figure' });
    const more = el('dd', { class: 'quiet' });
    return { figure, more, element: el('div', { class: 'tile' }, el('dt', {}, el('span', {}, title), el('small', {}, over)), figure, more) };
  });
  readonly element = el('dl', { class: 'tiles', 'aria-label': 'Now' }, ...this.#cells.map(({ element }) => element));

  show(now: Stats, alerts: Alerts | undefined): void {
    const firing = alerts?.alerts.filter(({ state }) => state === 'firing') ?? [];
    TILES.forEach(({ metrics, figure, more }, index) => {
      const cell = this.#cells[index];
      if (!cell) return;
      write(cell.figure, figure(now));
      const why = firing.filter(({ metric }) => metrics.includes(metric));
      write(cell.more, [...why.map(({ id }) => `Alert: ${words(id)}.`), more(now)].join(' '));
      cell.element.dataset['severity'] = why[0]?.severity ?? '';
    });
  }
}
