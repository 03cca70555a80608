// The page: as many devices as the address asks for, and `window.emulator` for scripts.

import './style.css';
import { lacking } from './audio/sound.js';
import { el } from '../../ui/dom.js';
import { type Settings, countFromQuery, fromQuery, toQuery } from './settings.js';
import { DeviceView } from './ui/device.js';

/** What a gateway that serves this page says of itself, at `gateway.json` beside it. */
interface Gateway {
  /** Ports of the host that the page came from. */
  web?: number | null;
  webTls?: number | null;
  webTransport?: { port: number; sha256: string | null } | null;
  coreSha256?: string | null;
}

const query = new URLSearchParams(location.search);
/** What of the address cannot be: it is wrong for all devices, and said once. */
const refused: string[] = [];
const count = countFromQuery(location.search, (why) => refused.push(why));
const devices: DeviceView[] = [];
const main = document.querySelector<HTMLElement>('#devices');
const link = document.querySelector<HTMLAnchorElement>('#link');
const module = document.querySelector<HTMLElement>('#module');
const obstacle = document.querySelector<HTMLElement>('#lacking');
if (!main || !link || !module || !obstacle) throw new Error('the page is not whole');

const gateway: Gateway = await fetch('gateway.json')
  .then((response) => (response.ok && response.headers.get('content-type')?.includes('json') ? (response.json() as Promise<Gateway>) : {}))
  .catch(() => ({}));

const changed = (): void => {
  const first = devices[0];
  if (!first) return;
  const parameters = toQuery(first.settings);
  link.href = `?${count > 1 ? `devices=${count}&` : ''}${parameters}`;
};

for (let index = 0; index < count; index++) {
  const settings = fromQuery(location.search, index, (why) => void (index === 0 && refused.push(why)));
  const port = location.protocol === 'https:' ? gateway.webTls : gateway.web;
  if (port && !query.has('gateway')) settings.gateway = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.hostname}:${port}`;
  if (gateway.webTransport && !query.has('webTransport')) {
    settings.webTransport = `https://${location.hostname}:${gateway.webTransport.port}/media`;
    settings.certificate = gateway.webTransport.sha256 ?? '';
  }
  const device = new DeviceView(settings, index, count > 1, changed);
  device.element.addEventListener('module', (event) => {
    const { sha256, libopus } = (event as CustomEvent<{ sha256: string; libopus: string }>).detail;
    const short = sha256.slice(0, 12);
    // Said only where it was compared, and is so.
    const same = sha256 !== '' && gateway.coreSha256 === sha256;
    const other = sha256 !== '' && gateway.coreSha256 && !same;
    module.textContent = `libopus ${libopus}, module ${short || 'unknown'}${same ? ': the same as the gateway’s' : other ? `: the gateway runs another (${gateway.coreSha256?.slice(0, 12)})` : ''}`;
    module.title = sha256;
    module.classList.toggle('same', same);
  });
  if (index === 0 && refused.length > 0) device.warn(refused.join(' '));
  devices.push(device);
  main.append(device.element);
}
main.classList.toggle('several', count > 1);
if (count > 1) {
  const all = (label: string, on: boolean): HTMLElement => el('button', { type: 'button', onclick: () => devices.forEach((device) => void device.power(on)) }, label);
  link.before(el('div', { class: 'row' }, all('Connect all', true), all('Disconnect all', false)));
}
changed();
obstacle.textContent = lacking(false) ?? '';

// The space bar is the button of the first device, wherever the focus is, but in fields and on other buttons.
const onPage = (event: KeyboardEvent, down: boolean): void => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.key !== ' ' || target.closest('input, select, textarea, button, summary, a, [tabindex="0"]')) return;
  devices[0]?.key(event, down);
};
addEventListener('keydown', (event) => onPage(event, true));
addEventListener('keyup', (event) => onPage(event, false));

const [first] = devices;
if (!first) throw new Error('no device');

/** For scripts: the devices, and the first one's commands. */
export interface Emulator {
  devices: readonly DeviceView[];
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  listen(mode?: Settings['mode']): void;
  stop(): void;
  abort(): void;
  hangup(): void;
  configure: DeviceView['configure'];
  readonly statistics: DeviceView['statistics'];
  session(): object;
  report(): ReturnType<DeviceView['report']>;
  recording(): ReturnType<DeviceView['recording']>;
}

declare global {
  interface Window {
    emulator: Emulator;
  }
}

window.emulator = {
  devices,
  connect: () => first.power(true),
  disconnect: () => first.power(false),
  listen: (mode) => first.listen(mode),
  stop: () => first.stopListening(),
  abort: () => first.abort(),
  hangup: () => first.hangup(),
  configure: (settings) => first.configure(settings),
  get statistics() {
    return first.statistics;
  },
  session: () => first.session(),
  report: () => first.report(),
  recording: () => first.recording(),
};
