// Alerts: what fires, what is about to, every rule, and what ceased; silenced and lifted by hand.

import { choice, el, field } from '../../../ui/dom.js';
import { type Alert, type Alerts, lift, silence } from '../data/api.js';
import { duration, inUnit, plural, when, words } from '../data/format.js';
import { type Live, said } from '../data/live.js';
import { SmallTable, fill, panel, write } from './parts.js';

const TIMES = [
  ['900', '15 minutes'],
  ['3600', '1 hour'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
] as const;

const SIGN = { info: 'i', warning: '!', critical: '‼' };

const rule = ({ comparison, threshold, unit, for: seconds }: Alert): string =>
  unit === 'flag' ? `for ${duration(seconds)}` : `${comparison} ${inUnit(threshold, unit)} for ${duration(seconds)}`;

/** Asks for how long, and why. */
function askSilence(alert: Alert, done: () => void): void {
  let seconds = '3600';
  const why = el('input', { type: 'text', maxlength: 200, autocomplete: 'off' });
  const problem = el('p', { class: 'warning', role: 'alert' });
  const dialog = el('dialog', { 'aria-labelledby': 'silence-title' });
  const form = el(
    'form',
    {
      method: 'dialog',
      onsubmit: async (event: SubmitEvent) => {
        event.preventDefault();
        try {
          await silence(alert.id, Number(seconds), why.value.trim());
          dialog.close();
          done();
        } catch (error) {
          write(problem, `Not silenced: ${said(error)}`);
        }
      },
    },
    el('h2', { id: 'silence-title' }, `Silence “${words(alert.id)}”`),
    el('p', { class: 'quiet' }, 'It goes on to be shown here. The webhook is not told.'),
    field('For', choice(TIMES, seconds, (value) => (seconds = value))),
    field('Why', why),
    problem,
    el('div', { class: 'buttons' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), el('button', { type: 'submit', class: 'chief' }, 'Silence')),
  );
  dialog.append(form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The button that silences an alert, or lifts its silence. */
function action(alert: Alert, live: Live): HTMLElement {
  const again = (): void => void live.refreshAlerts().catch(() => live.refresh());
  if (!alert.silence) {
    return el('button', { type: 'button', 'aria-label': `Silence ${words(alert.id)}`, onclick: () => askSilence(alert, again) }, 'Silence …');
  }
  const button = el(
    'button',
    {
      type: 'button',
      'aria-label': `Lift the silence of ${words(alert.id)}`,
      onclick: async () => {
        try {
          await lift(alert.id);
          again();
        } catch (error) {
          button.textContent = `Not lifted: ${said(error)}`;
        }
      },
    },
    'Lift silence',
  );
  return button;
}

function card(alert: Alert, live: Live): HTMLElement {
  const { id, help, severity, state, silence: quiet } = alert;
  const since = alert.since === null ? '' : state === 'firing' ? `Firing since ${when(alert.since)}.` : `So since ${when(alert.since)}, not yet for long enough.`;
  return el(
    'li',
    { class: 'alert', 'data-severity': quiet ? 'silenced' : severity, 'data-id': id },
    el('span', { class: 'sign', 'aria-hidden': 'true' }, SIGN[severity]),
    el(
      'div',
      {},
      el('p', { class: 'name' }, words(id), el('small', {}, `${severity}${quiet ? ', silenced' : ''}`)),
      el('p', {}, help),
      el('p', { class: 'quiet' }, `${alert.unit === 'flag' ? '' : `${inUnit(alert.value, alert.unit)}: `}${rule(alert)}. ${since}`),
      quiet ? el('p', { class: 'quiet' }, `Silenced until ${when(quiet.until)}${quiet.why ? `: ${quiet.why}` : ''}.`) : undefined,
    ),
    action(alert, live),
  );
}

/** What changes the looks of a card. */
const key = ({ id, state, since, silence: quiet, severity, value }: Alert): string => JSON.stringify([id, state, since, quiet, severity, value]);

/** Those that fire or are about to: at the top of the overview. */
export class Firing {
  readonly #list = el('ul', { class: 'alerts' });
  readonly #calm = el('p', { class: 'calm' });
  readonly #said = el('p', { class: 'unseen', role: 'alert' });
  readonly element = el('section', { 'aria-label': 'Alerts that fire' }, this.#said, this.#list, this.#calm);
  readonly #live: Live;
  #before = new Set<string>();

  constructor(live: Live) {
    this.#live = live;
  }

  show({ alerts }: Alerts): void {
    const shown = alerts.filter(({ state }) => state !== 'ok');
    keep(this.#list, shown, this.#live);
    const silenced = alerts.filter(({ silence: quiet }) => quiet).length;
    const rules = `${plural(alerts.length, 'rule')} watched${silenced > 0 ? `, ${silenced} silenced` : ''}.`;
    write(this.#calm, shown.length === 0 ? `No alert fires; ${rules}` : '');
    const firing = new Set(shown.filter(({ state }) => state === 'firing').map(({ id }) => id));
    const added = [...firing].filter((id) => !this.#before.has(id));
    if (added.length > 0) write(this.#said, `${added.length === 1 ? 'Alert fires' : 'Alerts fire'}: ${added.map(words).join(', ')}`);
    this.#before = firing;
  }
}

/** Cards stay where they are while nothing changes, so that a button is not taken from under a hand. */
function keep(list: HTMLElement, alerts: readonly Alert[], live: Live): void {
  const focused = document.activeElement?.closest<HTMLElement>('.alert')?.dataset['id'];
  const old = new Map([...list.children].map((child) => [(child as HTMLElement).dataset['key'], child]));
  const cards = alerts.map((alert) => {
    const there = old.get(key(alert));
    if (there) return there;
    const fresh = card(alert, live);
    fresh.dataset['key'] = key(alert);
    return fresh;
  });
  if (cards.length === list.children.length && cards.every((node, index) => node === list.children[index])) return;
  list.replaceChildren(...cards);
  if (focused && !list.contains(document.activeElement)) list.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"] button`)?.focus();
}

/** The view of all alerts. */
export class AlertsView {
  readonly #list = el('ul', { class: 'alerts' });
  readonly #calm = el('p', { class: 'calm' });
  readonly #rules = el('ul', { class: 'alerts rules' });
  readonly #recent = new SmallTable('What fired and ceased', ['When', 'Alert', 'What', 'Severity', 'Value']);
  readonly #none = el('p', { class: 'empty' }, 'Nothing has fired since this gateway keeps count.');
  readonly #webhook = el('p', { class: 'quiet' });
  readonly element = el(
    'div',
    { class: 'view' },
    panel('Firing', this.#list, this.#calm),
    panel('Rules at rest', el('p', { class: 'quiet' }, 'Change them in the configuration, under [alerts].'), this.#rules),
    panel('Lately', this.#none, this.#recent.element),
    panel('Webhook', this.#webhook),
  );
  readonly #live: Live;

  constructor(live: Live) {
    this.#live = live;
  }

  show({ alerts, recent, webhook }: Alerts): void {
    const [loud, calm] = [alerts.filter(({ state }) => state !== 'ok'), alerts.filter(({ state }) => state === 'ok')];
    keep(this.#list, loud, this.#live);
    write(this.#calm, loud.length === 0 ? 'No alert fires.' : '');
    fill(this.#rules, JSON.stringify(calm.map(({ id, silence: quiet, value }) => [id, quiet, value])), () => calm.map((alert) => this.#rule(alert)));
    this.#none.hidden = recent.length > 0;
    this.#recent.element.hidden = recent.length === 0;
    const units = new Map(alerts.map(({ id, unit }) => [id, unit]));
    this.#recent.show(
      recent.map(({ at, id, state, severity, value, silenced }) => [when(at), words(id), state, `${severity}${silenced ? ', silenced' : ''}`, inUnit(value, units.get(id) ?? '')]),
    );
    write(this.#webhook, told(webhook));
    this.#webhook.classList.toggle('warning', webhook !== null && !webhook.working);
  }

  #rule(alert: Alert): HTMLElement {
    const { id, help, severity, silence: quiet, unit, value } = alert;
    const now = unit === 'flag' ? '' : ` Now ${inUnit(value, unit)}.`;
    return el(
      'li',
      { class: 'alert', 'data-severity': 'ok', 'data-id': id },
      el('span', { class: 'sign', 'aria-hidden': 'true' }, '✓'),
      el(
        'div',
        {},
        el('p', { class: 'name' }, words(id), el('small', {}, severity)),
        el('p', { class: 'quiet' }, `${help} Fires ${rule(alert)}.${now}${quiet ? ` Silenced until ${when(quiet.until)}${quiet.why ? `: ${quiet.why}` : ''}.` : ''}`),
      ),
      action(alert, this.#live),
    );
  }
}

function told(webhook: Alerts['webhook']): string {
  if (!webhook) return 'There is none: set alerts.webhook to have alerts sent somewhere.';
  const counts = `${plural(webhook.sent, 'message')} sent, ${webhook.waiting} waiting, ${webhook.givenUp} given up.`;
  return webhook.working ? `${webhook.to}: ${counts}` : `${webhook.to} does not take what it is sent (${webhook.why ?? 'no reason is known'}): ${counts}`;
}

