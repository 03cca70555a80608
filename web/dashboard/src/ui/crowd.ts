// Who has the sessions: workers, with the step of quality that each is at and why, and tenants.

import { el } from '../../../ui/dom.js';
import type { Stats, Worker } from '../data/api.js';
import { bytes, count, ms, when } from '../data/format.js';
import { SmallTable, panel, write } from './parts.js';

function why(workers: readonly Worker[], { downMs, furtherDownMs, upMs, firstUpMs }: Stats['ladder']): string {
  const low = workers.filter(({ quality }) => quality !== 'full');
  if (low.length === 0) return `All workers are at full quality; one whose frames take more than ${ms(downMs)} on average goes down a step, above ${ms(furtherDownMs)} another.`;
  return low
    .map(({ worker, quality, qualitySince, recentMs }) => {
      const back = quality === 'medium' ? upMs : firstUpMs;
      return `Worker ${worker} is at ${quality} quality${qualitySince ? ` since ${when(qualitySince)}` : ''}: its frames take ${ms(recentMs)} on average, and must be below ${ms(back)} to go up a step.`;
    })
    .join(' ');
}

export class Crowd {
  readonly #workers = new SmallTable('Workers', ['Worker', 'Sessions', 'Waiting', 'Lately', 'p50', 'p99', 'Quality']);
  readonly #tenants = new SmallTable('Tenants', ['Tenant', 'Sessions', 'Frames', 'p99', 'Refused', 'Shed', 'Restarts', 'Concealed', 'Overlaps', 'Memory']);
  readonly #why = el('p', { class: 'quiet' });
  readonly element = el('div', { class: 'halves crowd' }, panel('Workers', this.#why, this.#workers.element), panel('Tenants', this.#tenants.element));

  show(now: Stats): void {
    write(this.#why, why(now.workerStats, now.ladder));
    this.#workers.show(
      now.workerStats.map(({ worker, sessions, queued, recentMs, total, quality }) => [String(worker), count(sessions), count(queued), ...[recentMs, total.p50, total.p99].map((took) => (total.count > 0 ? ms(took) : '–')), quality]),
    );
    this.#tenants.show(
      Object.entries(now.tenants).map(([name, tenant]) => [
        name,
        count(tenant.sessions),
        count(tenant.frames),
        ms(tenant.frames > 0 ? now.tenantLatency[name]?.p99 : null),
        count(tenant.refused),
        count(tenant.shed),
        count(tenant.restarts),
        count(tenant.concealed),
        count(tenant.keystreamOverlaps),
        bytes(tenant.memory),
      ]),
    );
  }
}
