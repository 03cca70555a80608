// The button that is held to talk, or pressed to begin and to end.

import type { ListenMode } from '../settings.js';
import { el } from '../../../ui/dom.js';

interface Device {
  readonly activity: string;
  readonly settings: { mode: ListenMode };
  listen(): void;
  stopListening(): void;
  abort(): void;
}

export class Talk {
  readonly button = el('button', { type: 'button', class: 'talk', disabled: true }, 'Hold to talk');
  readonly hint = el('p', { class: 'quiet hint' });
  #holding = false;

  /** `first`: the space bar is its button, wherever the focus is. */
  constructor(
    private readonly device: Device,
    private readonly first: boolean,
  ) {
    const { button } = this;
    button.addEventListener('pointerdown', (event) => {
      // Only the first button of a mouse talks.
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.press();
    });
    for (const end of ['pointerup', 'pointercancel', 'blur'] as const) button.addEventListener(end, () => this.release());
    button.addEventListener('contextmenu', (event) => event.preventDefault());
    button.addEventListener('keydown', (event) => this.key(event, true));
    button.addEventListener('keyup', (event) => this.key(event, false));
  }

  /** Space and Enter are the button. */
  key(event: KeyboardEvent, down: boolean): void {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (event.repeat) return;
    if (down) this.press();
    else this.release();
  }

  press(): void {
    const { button, device } = this;
    if (button.disabled) return;
    if (device.settings.mode === 'manual') {
      if (this.#holding) return;
      this.#holding = true;
      button.classList.add('held');
      if (device.activity === 'speaking') device.abort();
      device.listen();
    } else if (this.#isOn) {
      device.stopListening();
    } else {
      if (device.activity === 'speaking') device.abort();
      device.listen();
    }
  }

  release(): void {
    this.button.classList.remove('held');
    if (!this.#holding) return;
    this.#holding = false;
    this.device.stopListening();
  }

  /** Says what pressing it would do now. */
  label(): void {
    const { button, device } = this;
    const manual = device.settings.mode === 'manual';
    button.disabled = device.activity === 'off';
    const bar = manual ? 'Or hold the space bar' : 'Or press the space bar';
    this.hint.textContent = button.disabled ? 'Connect first.' : this.first ? `${bar}.` : `${bar}, on this button.`;
    button.textContent = manual ? 'Hold to talk' : this.#isOn ? 'Stop' : 'Talk';
    if (manual) button.removeAttribute('aria-pressed');
    else button.setAttribute('aria-pressed', String(this.#isOn));
  }

  /** In realtime both talk at once. */
  get #isOn(): boolean {
    const { activity, settings } = this.device;
    return activity === 'listening' || (activity === 'speaking' && settings.mode === 'realtime');
  }
}
