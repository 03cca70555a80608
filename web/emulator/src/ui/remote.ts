// The worker, as the page has it: commands go in, events come out, questions are answered.

import type { Command, Event, Question } from '../messages.js';

export class Remote {
  /** Resolved when the module is there. */
  readonly ready: Promise<void>;
  #worker = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'device' });
  #answers = new Map<number, (value: unknown) => void>();
  #questions = 0;

  constructor(heard: (event: Event) => void, failed: (why: string) => void) {
    let told!: () => void;
    this.ready = new Promise((resolve) => (told = resolve));
    this.#worker.onmessage = ({ data }: MessageEvent<Event>) => {
      if (data.on === 'answer') {
        this.#answers.get(data.id)?.(data.value);
        this.#answers.delete(data.id);
        return;
      }
      if (data.on === 'ready') told();
      heard(data);
    };
    this.#worker.onerror = ({ message }) => failed(`The worker failed: ${message || 'it could not be loaded'}`);
  }

  tell(command: Command, transfer: Transferable[] = []): void {
    this.#worker.postMessage(command, transfer);
  }

  ask<T>(question: Question): Promise<T> {
    const id = this.#questions++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve as (value: unknown) => void);
      this.tell({ ...question, id });
    });
  }
}
