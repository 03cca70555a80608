// A level in decibels, as a bar.

import { el, freshId } from '../../../ui/dom.js';

const FLOOR = -60;

export class Meter {
  readonly element: HTMLElement;
  #level: HTMLElement;

  constructor(label: string) {
    const id = freshId('meter');
    this.#level = el('div', { class: 'level', role: 'meter', 'aria-labelledby': id, 'aria-valuemin': FLOOR, 'aria-valuemax': 0 }, el('span', {}));
    this.element = el('div', { class: 'meter' }, el('span', { id }, label), this.#level);
    this.set(0);
  }

  /** `peak`: from 0 to 1. */
  set(peak: number): void {
    const decibels = Math.max(FLOOR, Math.min(0, 20 * Math.log10(peak || 1e-6)));
    this.#level.style.setProperty('--level', ((decibels - FLOOR) / -FLOOR).toFixed(3));
    this.#level.setAttribute('aria-valuenow', decibels.toFixed(0));
    this.#level.setAttribute('aria-valuetext', decibels <= FLOOR ? 'silent' : `${decibels.toFixed(0)} decibels`);
  }
}
