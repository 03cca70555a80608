// The dashboard: which view the address asks for, and what all of them show.

import './style.css';
import { el } from '../../ui/dom.js';
import { RANGES, type Range } from './data/api.js';
import { clock } from './data/format.js';
import { Live } from './data/live.js';
import { AlertsView, Firing } from './ui/alerts.js';
import { Crowd } from './ui/crowd.js';
import { Graphs } from './ui/graphs.js';
import { Happenings } from './ui/happenings.js';
import { Histograms } from './ui/histogram.js';
import { fill, write } from './ui/parts.js';
import { SessionView } from './ui/session.js';
import { SessionsView, noCalls } from './ui/sessions.js';
import { About, State, showConnection } from './ui/state.js';
import { Tiles } from './ui/tiles.js';

interface View {
  title: string;
  element: HTMLElement;
  close(): void;
}

const find = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
};
const [main, nav, connection] = [find('#view'), find('#nav'), find('#live')];
const live = new Live();
const about = new About(find('#about'));
const links = ([['#/', 'Overview'], ['#/sessions', 'Sessions'], ['#/alerts', 'Alerts'], ['device/', 'Device']] as const).map(([href, title]) => {
  const number = el('span', { class: 'number' });
  return { href, number, element: el('a', { href }, title, number) };
});
nav.append(...links.map(({ element }) => element));

function overview(query: URLSearchParams): View {
  const asked = query.get('range');
  const range: Range = RANGES.find((name) => name === asked) ?? '1h';
  const [state, firing, tiles, crowd, histograms, happenings] = [new State(), new Firing(live), new Tiles(), new Crowd(), new Histograms(), new Happenings(live)];
  const graphs = new Graphs(live, range, (chosen) => history.replaceState(null, '', `#/?range=${chosen}`));
  graphs.onhistory = (told) => histograms.showRange(told);
  const teach = el('div');
  const show = (): void => {
    if (!live.numbers || !live.ready) return;
    state.show(live.numbers, live.ready);
    tiles.show(live.numbers, live.alerts);
    crowd.show(live.numbers);
    histograms.show(live.numbers);
    const now = live.numbers;
    fill(teach, now.calls === 0 ? `none ${now.edges['mqtt.listen']?.address}` : '', () => (now.calls === 0 ? [el('div', { class: 'panel' }, noCalls(now))] : []));
    if (live.alerts) firing.show(live.alerts);
  };
  const stop = [live.on('alerts', show)];
  show();
  return {
    title: 'Overview',
    element: el('div', { class: 'view' }, state.element, firing.element, tiles.element, teach, graphs.element, el('div', { class: 'halves' }, histograms.element, happenings.element), crowd.element),
    close: () => {
      for (const each of stop) each();
      graphs.close();
      happenings.close();
    },
  };
}

function alerts(): View {
  const view = new AlertsView(live);
  if (live.alerts) view.show(live.alerts);
  const stop = live.on('alerts', (told) => view.show(told));
  return { title: 'Alerts', element: view.element, close: stop };
}

/** A part of an address; as it stands, where it was not encoded well. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The view that an address asks for: `#/`, `#/sessions`, `#/sessions/ID`, `#/alerts`. */
function viewOf(address: string): View {
  const [path = '', query = ''] = address.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  if (name === 'sessions' && id) {
    const view = new SessionView(decoded(id), live);
    return { title: 'Session', element: view.element, close: () => view.close() };
  }
  if (name === 'sessions') {
    const view = new SessionsView(live);
    return { title: 'Sessions', element: view.element, close: () => view.close() };
  }
  return name === 'alerts' ? alerts() : overview(new URLSearchParams(query));
}

let view: View | undefined;

/** So that a tab among others shows that something is wrong. */
function entitle(): void {
  const firing = live.numbers?.alerts.firing ?? 0;
  document.title = `${firing > 0 ? `(${firing}) ` : ''}${view?.title ?? ''} – Sidetone gateway`;
}

function go(): void {
  view?.close();
  const first = view === undefined;
  view = viewOf(location.hash);
  main.replaceChildren(view.element);
  entitle();
  const section = `#/${location.hash.replace(/^#\/?/, '').split(/[/?]/)[0]}`;
  for (const { href, element } of links) {
    if (href === section) element.setAttribute('aria-current', 'page');
    else element.removeAttribute('aria-current');
  }
  if (first) return;
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

live.on('connection', (told) => showConnection(connection, told));
live.on('numbers', (now) => {
  about.show(now);
  entitle();
  const [, sessions, firing] = links;
  if (sessions) write(sessions.number, now.calls > 0 ? String(now.calls) : '');
  if (firing) {
    const loud = now.alerts.firing - now.alerts.silenced;
    write(firing.number, now.alerts.firing > 0 ? String(now.alerts.firing) : '');
    firing.number.dataset['severity'] = loud > 0 ? (now.alerts.worst ?? '') : '';
  }
});
live.on('happening', (told) => {
  if (told.event === 'alert') void live.refreshAlerts().catch(() => live.refresh());
});
live.on('again', () => write(find('#said'), `Live again since ${clock(Date.now())}.`));
addEventListener('hashchange', go);
document.querySelector('.skip')?.addEventListener('click', (event) => {
  // The address of the view is not the place on the page.
  event.preventDefault();
  main.focus();
});
go();
live.start();
