// What was understood, said and felt: the messages that a screen would show.

import type { Shown } from '../messages.js';
import { el } from '../../../ui/dom.js';

const MOST = 200;

export class Conversation {
  readonly element = el('ol', { class: 'conversation', 'aria-live': 'polite', 'aria-relevant': 'additions', 'aria-label': 'Conversation' });
  /** What a screen would show of the gateway's mood; nothing before it has one. */
  readonly face = el('span', { class: 'face', role: 'img', hidden: true });

  show(message: Shown): void {
    switch (message.type) {
      case 'stt':
        return this.#add('you', 'You', message.text ?? '');
      case 'tts':
        if (message.state === 'sentence_start') this.#add('them', 'Gateway', message.text ?? '');
        return;
      case 'llm':
        this.face.textContent = message.text || message.emotion || '';
        this.face.setAttribute('aria-label', message.emotion || 'neutral');
        this.face.hidden = this.face.textContent === '';
        return;
      case 'alert':
        return this.#add('alert', 'Alert', [message.status, message.message].filter(Boolean).join(': '));
      case 'error':
        return this.#add('alert', 'Error', message.message ?? '');
      default:
        return this.#add('them', message.type, JSON.stringify(message));
    }
  }

  #add(side: string, who: string, text: string): void {
    this.element.append(el('li', { class: side }, el('span', { class: 'who' }, who), el('span', {}, text)));
    while (this.element.children.length > MOST) this.element.firstElementChild?.remove();
    this.element.scrollTop = this.element.scrollHeight;
  }
}
