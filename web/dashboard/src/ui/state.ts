// Whether calls are taken, and if not, why; whether what is shown is live, and if not, since when.

import { el } from '../../../ui/dom.js';
import type { Readiness, Stats } from '../data/api.js';
import { bytes, clock, duration, plural } from '../data/format.js';
import type { Connection } from '../data/live.js';
import { fill, write } from './parts.js';

/** What a failing check means for callers. */
const MEANING: Record<string, string> = {
  serving: 'The gateway is stopping',
  edges: 'A port does not listen',
  room: 'The gateway is full',
  broker: 'The MQTT broker is away',
  bridge: 'The back end is away',
};

/** The line in the header. */
export function showConnection(at: HTMLElement, { live, since, why }: Connection): void {
  at.classList.toggle('lost', !live);
  write(at, live ? 'Live' : `Not live since ${clock(since)}: ${why}. Trying again.`);
  document.body.classList.toggle('stale', !live);
}

export class State {
  readonly #word = el('p', { class: 'word' });
  readonly #reasons = el('ul', { class: 'reasons' });
  readonly #about = el('p', { class: 'quiet' });
  readonly element = el('section', { class: 'state', 'aria-label': 'State' }, el('div', { role: 'status' }, this.#word, this.#reasons), this.#about);

  show(now: Stats, { ready, checks = [] }: Readiness): void {
    this.element.dataset['ready'] = String(ready);
    write(this.#word, ready ? 'Taking calls' : 'Not taking calls');
    const failing = checks.filter(({ ok }) => !ok);
    fill(this.#reasons, JSON.stringify(failing), () =>
      failing.map(({ what, detail }) => el('li', {}, `${MEANING[what] ?? what}: ${detail}.`)),
    );
    write(this.#about, `up ${duration(now.uptime)} · back end ${now.bridge} · ${plural(now.devices, 'device')} connected`);
  }
}

/** The foot of the page: what runs here, and where its numbers are. */
export class About {
  readonly #runs = el('p');
  readonly #history = el('p');

  constructor(at: HTMLElement) {
    const links = [
      ['/metrics', 'for Prometheus'],
      ['/api/stats', 'all numbers'],
      ['/api/config', 'the configuration in force'],
      ['/device/', 'a device in this browser'],
    ] as const;
    const list = links.map(([path, what]) => el('li', {}, el('a', { href: path.slice(1) }, path), ` ${what}`));
    at.replaceChildren(this.#runs, this.#history, el('ul', {}, ...list));
  }

  show({ version, component, history }: Stats): void {
    const core = component.coreSha256;
    fill(this.#runs, `${version} ${core} ${component.sha256}`, () => [
      `Sidetone ${version}, libopus ${component.libopus}, `,
      core ? 'module ' : 'component ',
      el('code', { title: core ?? component.sha256 }, (core ?? component.sha256).slice(0, 12)),
      core ? '; the device page says whether it runs the same' : '',
    ]);
    const kept = history.kept === 'file' ? `in a file of ${bytes(history.bytes)}, at most ${bytes(history.mostBytes)} and ${history.days} days` : 'in memory: gone with the process';
    const dropped = history.dropped > 0 ? `; ${history.dropped} samples were not kept` : '';
    const text =
      history.kept === 'off'
        ? 'History is off: history.file says where it may be kept.'
        : history.working
          ? `History is kept ${kept}${dropped}.`
          : `History is not kept just now: ${history.why ?? 'it fails'}.`;
    write(this.#history, text);
    this.#history.classList.toggle('warning', !history.working && history.kept !== 'off');
  }
}
