// What a device is set to. Everything is in the address of the page, so that a link repeats a run; secrets are not.

/** What carries messages and audio. */
export type Transport = 'auto' | 'webtransport' | 'mqtt-websocket' | 'websocket';
/** Where speech comes from. */
export type Source = 'clip' | 'tone' | 'microphone' | 'file';
export type ListenMode = 'manual' | 'auto' | 'realtime';

/** A bad network for one direction; see the crate's `impairment`. */
export interface Impairment {
  loss: number;
  delay: number;
  jitter: number;
  reorder: number;
  duplicate: number;
}

export interface Settings {
  /** Address of the gateway's `[web]` listener: `ws://host:port`. */
  gateway: string;
  /** Address of its WebTransport, `https://host:port/media`; empty: none. */
  webTransport: string;
  /** SHA-256 of WebTransport's certificate, in hexadecimal; empty: a certificate that browsers trust. */
  certificate: string;
  transport: Transport;
  /** Of WebSocket's binary frames. */
  version: 1 | 2 | 3;
  group: string;
  mac: string;
  uuid: string;
  username: string;
  password: string;
  signatureKey: string;
  subscribe: boolean;
  firmware: '2026' | '2025' | 'improved';
  playout: 'faithful' | 'improved';
  mode: ListenMode;
  source: Source;
  frame: 20 | 40 | 60;
  fec: boolean;
  /** Bits a second of what is sent; 0: as the codec finds right. */
  bitrate: number;
  seed: number;
  up: Impairment;
  down: Impairment;
}

const NONE: Impairment = { loss: 0, delay: 0, jitter: 0, reorder: 0, duplicate: 0 };
const SECRET: readonly (keyof Settings)[] = ['password', 'signatureKey'];

/** How many devices a page may have: each has a worker and an instance. */
export const MOST_DEVICES = 16;

/** What the MAC addresses of a tab's devices begin with: two readers of one page are two devices. Lasts as long as the tab. */
function ownAddresses(): string {
  const name = 'sidetone-mac';
  const drawn = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  // A worker has no such storage, and a browser may forbid it.
  try {
    const kept = globalThis.sessionStorage?.getItem(name);
    if (kept) return kept;
    globalThis.sessionStorage?.setItem(name, `02:${drawn}`);
  } catch {
    // Then they last as long as the page.
  }
  return `02:${drawn}`;
}

const ADDRESSES = ownAddresses();

export function defaults(index = 0): Settings {
  const page = globalThis.location;
  const secure = page?.protocol === 'https:';
  const port = secure ? '' : ':8000';
  return {
    gateway: `${secure ? 'wss' : 'ws'}://${page?.hostname || '127.0.0.1'}${port}`,
    webTransport: '',
    certificate: '',
    transport: 'auto',
    version: 3,
    group: 'GID_web',
    mac: `${ADDRESSES}:${(index + 1).toString(16).padStart(2, '0')}`,
    uuid: 'sidetone-emulator',
    username: '',
    password: '',
    signatureKey: '',
    subscribe: false,
    firmware: 'improved',
    playout: 'improved',
    mode: 'manual',
    source: 'clip',
    frame: 60,
    fec: false,
    bitrate: 0,
    seed: 1 + index,
    up: { ...NONE },
    down: { ...NONE },
  };
}

/** What settings of a few values may be. */
const CHOICES: Partial<Record<keyof Settings, readonly (string | number)[]>> = {
  transport: ['auto', 'webtransport', 'mqtt-websocket', 'websocket'],
  version: [1, 2, 3],
  firmware: ['2026', '2025', 'improved'],
  playout: ['faithful', 'improved'],
  mode: ['manual', 'auto', 'realtime'],
  source: ['clip', 'tone', 'microphone', 'file'],
  frame: [20, 40, 60],
};

/** The most that settings of many values may be; these are whole numbers. */
const MOST: Readonly<Record<string, number>> = { seed: Number.MAX_SAFE_INTEGER, bitrate: 510_000 };
/** The least but 0: of a bitrate, what Opus has a use for. */
const LEAST: Readonly<Record<string, number>> = { bitrate: 6000 };
/** The same of a bad network: as the crate has it, percent and ms. */
const MOST_OF_NETWORK: Impairment = { loss: 100, delay: 10_000, jitter: 10_000, reorder: 100, duplicate: 100 };

/** What belongs to the page, not to a device. */
const OF_THE_PAGE = ['devices'];

/** How many devices an address asks for. What cannot be is told to `refused`, and is one. */
export function countFromQuery(query: string, refused: (why: string) => void): number {
  const asked = new URLSearchParams(query).get('devices');
  const count = Number(asked ?? '1');
  if (asked !== '' && Number.isInteger(count) && count >= 1 && count <= MOST_DEVICES) return count;
  refused(`The address sets devices to ${short(String(asked))}: it may be a whole number from 1 to ${MOST_DEVICES}.`);
  return 1;
}

/** The settings in an address: `mode=auto&down.loss=5`. What cannot be is left out, and told to `refused`. */
export function fromQuery(query: string, index = 0, refused: (why: string) => void = () => undefined): Settings {
  const settings = defaults(index);
  for (const [name, value] of new URLSearchParams(query)) {
    const [first = '', second] = name.split('.');
    const target = second === undefined ? settings : (settings as unknown as Record<string, unknown>)[first];
    const field = second ?? first;
    if (OF_THE_PAGE.includes(name)) continue;
    // The MAC address tells devices side by side apart.
    if (name === 'mac' && index > 0) continue;
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, field)) {
      refused(`The address sets ${short(name)}, which is no setting.`);
      continue;
    }
    if (SECRET.includes(field as keyof Settings)) {
      refused(`The address sets ${name}, which is a secret: addresses are kept and shared. Type it into its field.`);
      continue;
    }
    const fields = target as Record<string, unknown>;
    const read = like(fields[field], value);
    const whole = second === undefined;
    const choices = whole ? CHOICES[first as keyof Settings] : undefined;
    const most = (whole ? MOST[first] : MOST_OF_NETWORK[second as keyof Impairment]) ?? 0;
    const least = (whole && LEAST[first]) || 0;
    const inRange = typeof read !== 'number' || (read <= most && (read === 0 || read >= least) && (!whole || Number.isInteger(read)));
    if (read === undefined || (choices ? !choices.includes(read as string | number) : !inRange)) {
      const known = typeof fields[field] === 'boolean' ? '0, 1' : choices?.join(', ');
      const may = known ?? `${least > 0 ? '0, or ' : ''}a ${whole ? 'whole ' : ''}number from ${least} to ${most}`;
      refused(`The address sets ${name} to ${short(value)}: it may be ${may}.`);
      continue;
    }
    fields[field] = read;
  }
  return settings;
}

/** As much of an address as a sentence holds. */
function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** A value of the same kind as one that is known. */
function like(known: unknown, value: string): string | number | boolean | undefined {
  if (typeof known === 'string') return value;
  if (typeof known === 'boolean') return { '1': true, true: true, '0': false, false: false }[value];
  const number = Number(value);
  return typeof known === 'number' && value !== '' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** What of the settings is not as usual, as an address has it. */
export function toQuery(settings: Settings): string {
  const query = new URLSearchParams();
  const usual = defaults() as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(settings)) {
    if (SECRET.includes(name as keyof Settings)) continue;
    if (typeof value === 'object' && value !== null) {
      for (const [field, amount] of Object.entries(value as Record<string, unknown>)) {
        if (amount !== 0) query.set(`${name}.${field}`, String(amount));
      }
    } else if (value !== usual[name]) {
      query.set(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
    }
  }
  return query.toString();
}
