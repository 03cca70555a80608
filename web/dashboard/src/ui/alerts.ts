// Alerts: what fires, what is about to, every rule, and what ceased; silenced and lifted by hand.

import { choice, el, field } from '../../../ui/dom.js';
import { type Alert, type Alerts, lift, silence } from '../data/api.js';
import { duration, inUnit, plural, when, words } from '../data/format.js';
import { type Live, said } from '../data/live.js';
import { SmallTable, panel, write } from './parts.js';

const TIMES = [
  ['900', '15 minutes'],
  ['3600', '1 hour'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
] as const;

const SIGN = { info: 'i', warning: '!', critical: '‼' };

/** What was measured, and when that is too much. */
function measured({ comparison, threshold, unit, value, state, for: seconds }: Alert): string {
  const calm = state === 'ok';
  if (unit === 'flag') return calm ? (seconds > 0 ? `Fires where that lasts ${duration(seconds)}.` : 'Fires at once.') : '';
  return `${inUnit(value, unit)} now; ${calm ? 'fires ' : ''}${comparison} ${inUnit(threshold, unit)}${seconds > 0 ? ` for ${duration(seconds)}` : ''}.`;
}

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

/** An alert, with the button that silences it or lifts its silence. Stays the same while its texts change. */
class Card {
  readonly element: HTMLElement;
  readonly #live: Live;
  readonly #sign = el('span', { class: 'sign', 'aria-hidden': 'true' });
  readonly #severity = el('small');
  readonly #help = el('p');
  readonly #measured = el('p', { class: 'quiet' });
  readonly #silence = el('p', { class: 'quiet' });
  readonly #button = el('button', { type: 'button', onclick: () => void this.#act() });
  #alert: Alert;

  constructor(alert: Alert, live: Live) {
    this.#alert = alert;
    this.#live = live;
    this.element = el(
      'li',
      { class: 'alert', 'data-id': alert.id },
      this.#sign,
      el('div', {}, el('p', { class: 'name' }, words(alert.id), this.#severity), this.#help, this.#measured, this.#silence),
      this.#button,
    );
  }

  show(alert: Alert): void {
    this.#alert = alert;
    const { id, help, severity, state, since, silence: quiet } = alert;
    const calm = state === 'ok';
    this.element.dataset['severity'] = calm ? 'ok' : quiet ? 'silenced' : severity;
    write(this.#sign, calm ? '✓' : SIGN[severity]);
    write(this.#severity, `${severity}${quiet ? ', silenced' : ''}`);
    write(this.#help, help);
    const lasts = calm || since === null ? '' : state === 'firing' ? ` Firing since ${when(since)}.` : ` So since ${when(since)}, not yet for long enough.`;
    write(this.#measured, `${measured(alert)}${lasts}`.trim());
    write(this.#silence, quiet ? `Silenced until ${when(quiet.until)}${quiet.why ? `: ${quiet.why}` : ''}.` : '');
    write(this.#button, quiet ? 'Lift silence' : 'Silence …');
    this.#button.setAttribute('aria-label', quiet ? `Lift the silence of ${words(id)}` : `Silence ${words(id)}`);
  }

  async #act(): Promise<void> {
    const again = (): void => void this.#live.refreshAlerts().catch(() => this.#live.refresh());
    if (!this.#alert.silence) {
      askSilence(this.#alert, again);
      return;
    }
    try {
      await lift(this.#alert.id);
      again();
    } catch (error) {
      write(this.#silence, `The silence is not lifted: ${said(error)}.`);
    }
  }
}

/** Cards, in the order of the alerts; none is taken from under a hand that is on its button. */
class Cards {
  readonly element: HTMLElement;
  readonly #live: Live;
  #known = new Map<string, Card>();

  constructor(live: Live, kind = '') {
    this.#live = live;
    this.element = el('ul', { class: `alerts ${kind}` });
  }

  show(alerts: readonly Alert[]): void {
    const before = this.#known;
    this.#known = new Map(alerts.map((alert) => [alert.id, before.get(alert.id) ?? new Card(alert, this.#live)]));
    for (const alert of alerts) this.#known.get(alert.id)?.show(alert);
    const wanted = [...this.#known.values()].map(({ element }) => element);
    if (wanted.length === this.element.children.length && wanted.every((element, index) => element === this.element.children[index])) return;
    const focused = document.activeElement;
    this.element.replaceChildren(...wanted);
    if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus();
  }
}

/** Those that fire or are about to: at the top of the overview. */
export class Firing {
  readonly #cards: Cards;
  readonly #calm = el('p', { class: 'calm' });
  readonly #said = el('p', { class: 'unseen', role: 'alert' });
  readonly element: HTMLElement;
  #before = new Set<string>();

  constructor(live: Live) {
    this.#cards = new Cards(live);
    this.element = el('section', { 'aria-label': 'Alerts that fire' }, this.#said, this.#cards.element, this.#calm);
  }

  show({ alerts }: Alerts): void {
    const shown = alerts.filter(({ state }) => state !== 'ok');
    this.#cards.show(shown);
    const silenced = alerts.filter(({ silence: quiet }) => quiet).length;
    const rules = `${plural(alerts.length, 'rule')} watched${silenced > 0 ? `, ${silenced} silenced` : ''}.`;
    write(this.#calm, shown.length === 0 ? `No alert fires; ${rules}` : '');
    const firing = new Set(shown.filter(({ state }) => state === 'firing').map(({ id }) => id));
    const added = [...firing].filter((id) => !this.#before.has(id));
    if (added.length > 0) write(this.#said, `${added.length === 1 ? 'Alert fires' : 'Alerts fire'}: ${added.map(words).join(', ')}`);
    this.#before = firing;
  }
}

/** The view of all alerts. */
export class AlertsView {
  readonly #loud: Cards;
  readonly #calm = el('p', { class: 'calm' });
  readonly #rules: Cards;
  readonly #recent = new SmallTable('What fired and ceased', ['When', 'Alert', 'What', 'Severity', 'Value'], true);
  readonly #none = el('p', { class: 'empty' }, 'Nothing has fired since this gateway keeps count.');
  readonly #webhook = el('p', { class: 'quiet' });
  readonly element: HTMLElement;

  constructor(live: Live) {
    this.#loud = new Cards(live);
    this.#rules = new Cards(live, 'rules');
    this.element = el(
      'div',
      { class: 'view' },
      panel('Firing', this.#loud.element, this.#calm),
      panel('Rules at rest', el('p', { class: 'quiet' }, 'Change them in the configuration, under [[alerts.rules]].'), this.#rules.element),
      panel('Lately', this.#none, this.#recent.element),
      panel('Webhook', this.#webhook),
    );
  }

  show({ alerts, recent, webhook }: Alerts): void {
    const [loud, calm] = [alerts.filter(({ state }) => state !== 'ok'), alerts.filter(({ state }) => state === 'ok')];
    this.#loud.show(loud);
    write(this.#calm, loud.length === 0 ? 'No alert fires.' : '');
    this.#rules.show(calm);
    this.#none.hidden = recent.length > 0;
    this.#recent.element.hidden = recent.length === 0;
    const units = new Map(alerts.map(({ id, unit }) => [id, unit]));
    this.#recent.show(
      recent.map(({ at, id, state, severity, value, silenced }) => [when(at), words(id), state, `${severity}${silenced ? ', silenced' : ''}`, inUnit(value, units.get(id) ?? '')]),
    );
    write(this.#webhook, told(webhook));
    this.#webhook.classList.toggle('warning', webhook !== null && !webhook.working);
  }
}

function told(webhook: Alerts['webhook']): string {
  if (!webhook) return 'There is none: set alerts.webhook to have alerts sent somewhere.';
  const counts = `${plural(webhook.sent, 'message')} sent, ${webhook.waiting} waiting, ${webhook.givenUp} given up.`;
  return webhook.working ? `${webhook.to}: ${counts}` : `${webhook.to} does not take what it is sent (${webhook.why ?? 'no reason is known'}): ${counts}`;
}

