// The settings of a device, as fields. What a script sets they show when they are told to `reflect`.

import type { Impairment, Settings } from '../settings.js';
import { choice, el, field, section } from '../../../ui/dom.js';

type Texts = 'gateway' | 'webTransport' | 'certificate' | 'mac' | 'group' | 'uuid' | 'username' | 'password' | 'signatureKey';

/** Who it is and where it connects. */
export function connection(settings: Settings, changed: () => void): HTMLElement {
  const text = (label: string, name: Texts, hint?: string, secret = false): HTMLElement => {
    const input = el('input', {
      type: secret ? 'password' : 'text',
      value: settings[name],
      spellcheck: 'false',
      autocomplete: secret ? 'new-password' : 'off',
      name,
      onreflect: () => (input.value = settings[name]),
      onchange: () => {
        settings[name] = input.value.trim();
        changed();
      },
    });
    return field(label, input, hint);
  };
  const pick = <K extends 'transport' | 'version' | 'firmware' | 'playout' | 'frame' | 'bitrate'>(
    label: string,
    name: K,
    options: readonly (readonly [string, string])[],
    hint?: string,
  ): HTMLElement => {
    const select = choice(options, String(settings[name]), (value) => {
      const known = settings[name];
      settings[name] = (typeof known === 'number' ? Number(value) : value) as Settings[K];
      changed();
    });
    // An address, or a script, may set what the page does not offer: a bitrate.
    const reflect = (): void => {
      const now = String(settings[name]);
      if (![...select.options].some(({ value }) => value === now)) select.append(el('option', { value: now }, `${now} bit/s`));
      select.value = now;
    };
    select.name = name;
    select.addEventListener('reflect', reflect);
    reflect();
    return field(label, select, hint);
  };
  const check = (label: string, name: 'subscribe' | 'fec'): HTMLElement => {
    const box = el('input', {
      type: 'checkbox',
      checked: settings[name],
      name,
      onreflect: () => (box.checked = settings[name]),
      onchange: () => {
        settings[name] = box.checked;
        changed();
      },
    });
    return el('label', { class: 'check' }, box, label);
  };
  return section(
    'Device and gateway',
    false,
    el('p', { class: 'quiet' }, 'From the next connection on; how it plays, bitrate and FEC from the next session on.'),
    text('Gateway', 'gateway', 'Its [web] listener: ws://host:port'),
    pick('Transport', 'transport', [
      ['auto', 'MQTT, audio by the best way there is'],
      ['webtransport', 'MQTT, audio over WebTransport'],
      ['mqtt-websocket', 'MQTT, audio over WebSocket'],
      ['websocket', 'WebSocket alone (no encryption of its own)'],
    ]),
    pick('WebSocket frames', 'version', [['1', 'version 1'], ['2', 'version 2'], ['3', 'version 3']]),
    text('WebTransport', 'webTransport', 'https://host:port/media; empty: none'),
    text('Its certificate', 'certificate', 'SHA-256 in hexadecimal, where no authority signed it'),
    text('MAC address', 'mac'),
    text('Group', 'group'),
    text('UUID', 'uuid'),
    text('User name', 'username'),
    text('Password', 'password', 'Or token, over WebSocket. Not in the link.', true),
    text('Signature key', 'signatureKey', 'Of one’s own gateway: makes both of the above. Not in the link.', true),
    check('Subscribe to the answers (firmware does not)', 'subscribe'),
    pick('Behaves like', 'firmware', [['improved', 'what a device could do'], ['2026', 'firmware of 2026'], ['2025', 'firmware of 2025']]),
    pick('Plays', 'playout', [['improved', 'through an adaptive buffer, gaps concealed'], ['faithful', 'as firmware: 40 packets, gaps dropped']]),
    pick('Frames of', 'frame', [['60', '60 ms'], ['40', '40 ms'], ['20', '20 ms']]),
    pick('Bitrate', 'bitrate', [['0', 'as the codec finds right'], ['16000', '16 kbit/s'], ['24000', '24 kbit/s'], ['48000', '48 kbit/s']]),
    check('In-band FEC uplink', 'fec'),
  );
}

const SLIDERS: readonly (readonly [keyof Impairment, string, string, number])[] = [
  ['loss', 'Loss', '%', 40],
  ['delay', 'Delay', 'ms', 500],
  ['jitter', 'Jitter', 'ms', 300],
  ['reorder', 'Reordered', '%', 30],
  ['duplicate', 'Twice', '%', 30],
];

/** The network of our making, each direction. */
export function network(settings: Settings, open: boolean, changed: () => void): HTMLElement {
  const side = (title: string, way: 'up' | 'down'): HTMLElement =>
    el(
      'fieldset',
      { class: 'sliders' },
      el('legend', {}, title),
      ...SLIDERS.map(([name, label, unit, most]) => {
        const amount = el('output');
        const slider = el('input', {
          type: 'range',
          min: 0,
          max: most,
          step: 1,
          name: `${way}.${name}`,
          onreflect: () => reflect(),
          oninput: () => {
            settings[way][name] = Number(slider.value);
            reflect();
            changed();
          },
        });
        // More than the slider has, where an address or a script says so.
        const reflect = (): void => {
          slider.value = String(settings[way][name]);
          amount.textContent = `${settings[way][name]} ${unit}`;
          slider.setAttribute('aria-valuetext', amount.textContent);
        };
        reflect();
        const shown = field(label, slider);
        shown.append(amount);
        return shown;
      }),
    );
  const seed = el('input', {
    type: 'number',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    step: 1,
    value: settings.seed,
    name: 'seed',
    onreflect: () => (seed.value = String(settings.seed)),
    onchange: () => {
      const number = Number(seed.value);
      if (seed.validity.valid && seed.value !== '') settings.seed = number;
      seed.value = String(settings.seed);
      changed();
    },
  });
  // On a phone it would stand before the conversation.
  return section('A worse network', open && matchMedia('(min-width: 60rem)').matches, el('div', { class: 'network' }, side('Up', 'up'), side('Down', 'down')), field('Seed', seed, 'The same one, the same packets lost; from the next connection on.'));
}
