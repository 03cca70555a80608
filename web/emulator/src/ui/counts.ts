// What a call has come to so far, in figures.

import type { Statistics } from '../messages.js';
import { el } from '../../../ui/dom.js';

const micros = (value: number): string => (value ? `${Math.round(value)} µs` : '–');

const FIGURES: readonly (readonly [string, (now: Statistics) => string])[] = [
  ['Sent', ({ sent }) => String(sent)],
  ['Received', ({ down }) => String(down.received)],
  ['Lost', ({ down }) => String(down.lost)],
  ['Concealed', ({ down }) => String(down.concealed)],
  ['Recovered', ({ down }) => String(down.recovered)],
  ['Late', ({ down }) => String(down.late)],
  ['Underruns', ({ down, starved }) => String(down.underruns + starved)],
  ['Card stalls', ({ stalls }) => String(stalls)],
  ['Restarts', ({ restarts }) => String(restarts)],
  ['First audio', ({ firstAudio }) => (firstAudio === null ? '–' : `${Math.round(firstAudio)} ms`)],
  ['Encode', ({ encodeMicros }) => micros(encodeMicros)],
  ['Decode', ({ decodeMicros }) => micros(decodeMicros)],
];

export class Counts {
  readonly element = el('dl', { class: 'counts' });
  #values = FIGURES.map(([name]) => {
    const value = el('dd', {}, '–');
    this.element.append(el('div', {}, el('dt', {}, name), value));
    return value;
  });

  show(now: Statistics): void {
    FIGURES.forEach(([, figure], n) => {
      const [value, text] = [this.#values[n], figure(now)];
      // What stays as it is costs nothing.
      if (value && value.textContent !== text) value.textContent = text;
    });
  }
}
