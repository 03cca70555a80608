// What was understood, said and felt: the messages that a screen would show.

import type { Shown } from '../messages.js';
import { el } from '../../../ui/dom.js';

const MOST = 200;

/** Letters of a message that are shown; the timeline has more. */
const LETTERS = 2000;

/** Letters of what can be a face: an emoji, which may be joined of several. */
const FACE = 12;

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
        return this.#feel(message.text ?? '', message.emotion ?? '');
      case 'alert':
        return this.#add('alert', 'Alert', [message.status, message.message].filter(Boolean).join(': '));
      case 'error':
        return this.#add('alert', 'Error', message.message ?? '');
      default:
        return this.#add('them', message.type, JSON.stringify(message));
    }
  }

  /** A face for the head of the panel; words are no face. */
  #feel(text: string, emotion: string): void {
    const isFace = text !== '' && text.length <= FACE;
    if (!isFace && text !== '') this.#add('them', 'Gateway', text);
    this.face.textContent = isFace ? text : emotion.slice(0, FACE);
    this.face.setAttribute('aria-label', emotion.slice(0, LETTERS) || 'neutral');
    this.face.hidden = this.face.textContent === '';
  }

  #add(side: string, who: string, text: string): void {
    const shown = text.length > LETTERS ? `${text.slice(0, LETTERS)} … (${text.length} letters)` : text;
    this.element.append(el('li', { class: side }, el('span', { class: 'who' }, who.slice(0, 40)), el('span', {}, shown)));
    while (this.element.children.length > MOST) this.element.firstElementChild?.remove();
    this.element.scrollTop = this.element.scrollHeight;
  }
}
