// Where speech comes from, and where it is heard: the choice of a source, and the browser's sound. What stands in the
// way is said in a sentence, and the call goes on without.

import { Sound, decodeFile, lacking } from '../audio/sound.js';
import type { Settings, Source } from '../settings.js';
import clipUrl from '../../../../crates/fleet/assets/speech.wav?url';
import { choice, el, field } from '../../../ui/dom.js';
import type { Remote } from './remote.js';

const SOURCES = [
  ['clip', 'Speech clip'],
  ['tone', 'Generated tone'],
  ['microphone', 'Microphone'],
  ['file', 'Audio file …'],
] as const;

export class Voices {
  readonly choice: HTMLElement;
  readonly file = el('input', { type: 'file', accept: 'audio/*', 'aria-label': 'Audio file', onchange: () => void this.#takeFile() });
  #sound: Sound | undefined;
  #opening: Promise<void> | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly remote: Remote,
    private readonly warn: (text: string) => void,
    changed: () => void,
  ) {
    const source = choice(SOURCES, settings.source, (value) => {
      settings.source = value as Source;
      this.file.hidden = value !== 'file';
      changed();
      void this.prepare();
    });
    source.name = 'source';
    source.addEventListener('reflect', () => {
      if (source.value === settings.source) return;
      source.value = settings.source;
      this.file.hidden = settings.source !== 'file';
      void this.prepare();
    });
    this.choice = field('Speech from', source);
    this.file.hidden = settings.source !== 'file';
  }

  /** Opens the sound card, where there is one. To be called when the user has just done something. */
  async open(): Promise<void> {
    if (this.#sound || lacking(false)) return;
    this.#opening ??= Sound.open((running) => this.remote.tell({ do: 'card', running }))
      .then(({ sound, playout }) => {
        this.#sound = sound;
        this.remote.tell({ do: 'audio', rate: sound.rate, playout }, [playout]);
        if (!sound.isRunning) this.warn('The browser plays no sound before you have clicked on the page, or without a sound card.');
      })
      .catch((error: unknown) => {
        this.warn(`The sound card cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  /** The button goes down: a microphone that was refused, or unplugged, may be back. */
  async again(): Promise<void> {
    if (this.settings.source !== 'microphone') return;
    if (!this.#sound && !lacking(true)) this.warn('The sound card is not open, and so there is no microphone: connect again, or choose another source.');
    await this.#takeMicrophone();
  }

  /** Sees to it that there is something to say. */
  async prepare(): Promise<void> {
    const { source } = this.settings;
    if (source !== 'microphone') this.#sound?.silence();
    if (source === 'microphone') await this.#takeMicrophone();
    else if (source === 'file') await this.#takeFile();
    else if (source === 'clip') await this.#takeClip();
  }

  async #takeMicrophone(): Promise<void> {
    const obstacle = lacking(true);
    if (obstacle) return this.warn(obstacle);
    // Before the device is switched on there is none.
    if (!this.#sound) return;
    try {
      const capture = await this.#sound.microphone(() => this.settings.source === 'microphone', (text) => this.warn(text));
      if (capture) this.remote.tell({ do: 'audio', rate: this.#sound.rate, capture }, [capture]);
    } catch (error) {
      this.warn(error instanceof Error ? error.message : String(error));
    }
  }

  async #takeFile(): Promise<void> {
    const file = this.file.files?.[0];
    if (file) await this.#decode(await file.arrayBuffer(), file.name);
  }

  async #takeClip(): Promise<void> {
    try {
      const response = await fetch(clipUrl);
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      await this.#decode(await response.arrayBuffer(), 'The clip');
    } catch (error) {
      this.warn(`The clip cannot be loaded (${error instanceof Error ? error.message : String(error)}): a tone is sent instead.`);
    }
  }

  async #decode(data: ArrayBuffer, name: string): Promise<void> {
    try {
      const { rate, samples } = await decodeFile(data);
      this.remote.tell({ do: 'clip', rate, samples }, [samples.buffer]);
    } catch {
      this.warn(`${name} cannot be decoded by this browser: choose another file.`);
    }
  }
}
