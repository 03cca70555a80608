// One line of the timeline, looked into: a message as JSON, a packet as header, Opus TOC and bytes.

import type { Entry, Inspection } from '../messages.js';
import { el } from '../../../ui/dom.js';

export function inspector(entry: Entry, inspection: Inspection | undefined): HTMLElement {
  if (entry.kind === 'message') return el('div', {}, el('h4', {}, 'Message'), el('pre', {}, pretty(entry.text)));
  if (entry.kind !== 'audio') return el('div', {}, el('h4', {}, 'Event'), el('p', {}, entry.text));
  if (!inspection) return el('p', {}, 'This packet is no longer kept: only the last thousand are.');
  const { header, opus, toc, problem, datagram, payload } = inspection;
  return el(
    'div',
    {},
    el('h4', {}, entry.direction === 'up' ? 'Packet sent' : 'Packet received'),
    header
      ? table('Header', [
          ['type', '1 (audio)'],
          ['flags', `0x${header.flags.toString(16).padStart(2, '0')}${header.flags & 1 ? ' (downlink)' : ''}`],
          ['payload', `${header.payloadLen} bytes`],
          ['connection id', `0x${header.connectionId.toString(16).padStart(8, '0')}`],
          ['timestamp', `${header.timestamp} ms`],
          ['sequence', String(header.sequence)],
        ])
      : undefined,
    opus && toc !== undefined
      ? table('Opus', [
          ['TOC', `0x${toc.toString(16).padStart(2, '0')}: configuration ${toc >> 3}, ${toc & 4 ? 'stereo' : 'mono'}, code ${toc & 3}`],
          ['mode', opus.mode.toUpperCase()],
          ['bandwidth', BANDWIDTHS[opus.bandwidth] ?? opus.bandwidth],
          ['frames', `${opus.frames}, ${opus.duration / 1000} ms together`],
          ['redundancy', opus.redundancy ? 'of the packet before (FEC)' : 'none'],
        ])
      : undefined,
    problem ? el('p', { class: 'warning' }, `No Opus inside: ${problem}`) : undefined,
    el('h5', {}, header ? 'On the wire' : 'Payload'),
    el('pre', { class: 'hex', tabindex: 0 }, hex(datagram)),
    header && payload ? el('h5', {}, 'Decrypted') : undefined,
    header && payload ? el('pre', { class: 'hex', tabindex: 0 }, hex(payload)) : undefined,
  );
}

const BANDWIDTHS: Record<string, string> = {
  narrow: 'narrow (4 kHz)',
  medium: 'medium (6 kHz)',
  wide: 'wide (8 kHz)',
  'super-wide': 'super-wide (12 kHz)',
  full: 'full (20 kHz)',
};

function table(caption: string, rows: [string, string][]): HTMLElement {
  return el(
    'table',
    {},
    el('caption', {}, caption),
    el('tbody', {}, ...rows.map(([name, value]) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, value)))),
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Sixteen bytes a line: place, hexadecimal, letters. */
export function hex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${digits.padEnd(47)}  ${letters}`);
  }
  return lines.join('\n');
}
