// One device on the page: its panel, its worker, its sound.

import { Sound, decodeFile, lacking } from '../audio/sound.js';
import type { Command, Entry, Event, Inspection, Shown, Statistics } from '../messages.js';
import type { ListenMode, Settings, Source } from '../settings.js';
import clipUrl from '../../../../crates/sidetone/assets/speech.wav?url';
import { Conversation } from './conversation.js';
import { choice, el, field, freshId, save, section } from '../../../ui/dom.js';
import { Graphs } from './graphs.js';
import { Mcp } from './mcp.js';
import { connection, network } from './setup.js';
import { Timeline } from './timeline.js';
import { wav } from './wav.js';

interface Recording {
  up?: Int16Array;
  upRate?: number;
  down?: Int16Array;
  downRate?: number;
}

const ACTIVITIES: Record<string, string> = {
  off: 'Switched off',
  offline: 'No connection',
  idle: 'Connected',
  opening: 'Opening a session …',
  ready: 'In a session',
  listening: 'Listening',
  speaking: 'Speaking',
};

export class DeviceView {
  readonly element: HTMLElement;
  readonly settings: Settings;
  activity = 'off';
  statistics: Statistics | undefined;
  readonly conversation: Shown[] = [];
  readonly notices: string[] = [];
  sha256 = '';
  #worker = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'device' });
  #answers = new Map<number, (value: unknown) => void>();
  #questions = 0;
  #sound: Sound | undefined;
  #opening: Promise<void> | undefined;
  #holding = false;
  #ready: Promise<void>;
  #timeline = new Timeline((number) => this.inspect(number));
  #screen = new Conversation();
  #graphs = new Graphs();
  #mcp = new Mcp();
  #state = el('span', { class: 'activity', role: 'status' }, 'Switched off');
  #detail = el('span', { class: 'quiet' });
  #notice = el('p', { class: 'notice', role: 'alert', hidden: true });
  #power = el('button', { type: 'button', class: 'power', onclick: () => void this.power(this.activity === 'off') }, 'Connect');
  #talk: HTMLButtonElement;
  #meters = { up: meter('Microphone'), down: meter('Loudspeaker') };
  #counts = el('dl', { class: 'counts' });
  #file = el('input', { type: 'file', accept: 'audio/*', onchange: () => void this.#choseFile() });

  constructor(settings: Settings, index: number, several: boolean, changed: () => void) {
    this.settings = settings;
    let told!: () => void;
    this.#ready = new Promise((resolve) => (told = resolve));
    this.#worker.onmessage = ({ data }: MessageEvent<Event>) => {
      if (data.on === 'ready') told();
      this.#heard(data);
    };
    this.#worker.onerror = ({ message }) => this.#warn(`The worker failed: ${message}`);
    const configured = (): void => {
      this.#tell({ do: 'configure', settings: structuredClone(this.settings) });
      changed();
    };
    configured();

    this.#talk = el('button', { type: 'button', class: 'talk', disabled: true }, 'Hold to talk');
    this.#talk.addEventListener('pointerdown', (event) => {
      this.#talk.setPointerCapture(event.pointerId);
      this.press();
    });
    this.#talk.addEventListener('pointerup', () => this.release());
    this.#talk.addEventListener('pointercancel', () => this.release());
    this.#talk.addEventListener('keydown', (event) => this.key(event, true));
    this.#talk.addEventListener('keyup', (event) => this.key(event, false));
    this.#talk.addEventListener('blur', () => this.release());

    const title = freshId('device');
    const mode = choice(
      [
        ['manual', 'Hold to talk'],
        ['auto', 'Auto: the server hears the end'],
        ['realtime', 'Realtime: both at once'],
      ],
      settings.mode,
      (value) => {
        settings.mode = value as ListenMode;
        configured();
        this.#label();
      },
    );
    const source = choice(
      [
        ['clip', 'Speech clip'],
        ['tone', 'Generated tone'],
        ['microphone', 'Microphone'],
        ['file', 'Audio file …'],
      ],
      settings.source,
      (value) => {
        settings.source = value as Source;
        this.#file.hidden = value !== 'file';
        configured();
        void this.#prepare();
      },
    );
    this.#file.hidden = settings.source !== 'file';
    this.#file.setAttribute('aria-label', 'Audio file');
    const action = (label: string, run: () => void): HTMLButtonElement => el('button', { type: 'button', onclick: run }, label);
    const word = el('input', { type: 'text', value: 'Hello' });
    this.element = el(
      'section',
      { class: 'device', 'aria-labelledby': title },
      el(
        'header',
        { class: 'bar' },
        el('h2', { id: title }, several ? `Device ${index + 1}` : 'Device'),
        this.#screen.face,
        el('div', { class: 'states' }, this.#state, this.#detail),
        this.#power,
      ),
      this.#notice,
      el(
        'div',
        { class: 'columns' },
        el(
          'div',
          { class: 'column' },
          el(
            'div',
            { class: 'panel talking' },
            this.#talk,
            el('p', { class: 'quiet hint' }, 'Or hold the space bar.'),
            el('div', { class: 'meters' }, this.#meters.up, this.#meters.down),
            el('div', { class: 'pair' }, field('Mode', mode), field('Speech from', source)),
            this.#file,
            el(
              'div',
              { class: 'row actions' },
              action('Interrupt', () => this.abort()),
              action('Goodbye', () => this.hangup()),
            ),
          ),
          connection(settings, configured),
          network(settings, configured),
        ),
        el(
          'div',
          { class: 'column' },
          section('Conversation', true, this.#screen.element),
          section(
            'Wake word and text',
            false,
            el('div', { class: 'row' }, field('Text', word), action('Say as wake word', () => this.#tell({ do: 'detect', text: word.value }))),
          ),
          section('Tools (MCP)', false, this.#mcp.element),
        ),
        el('div', { class: 'column' }, section('Graphs', true, this.#counts, this.#graphs.element)),
      ),
      section(
        'Timeline',
        !several,
        this.#timeline.element,
        el(
          'div',
          { class: 'row actions' },
          action('Save session (JSON)', () => save('sidetone-session.json', 'application/json', JSON.stringify(this.session(), null, 2))),
          action('Save what was said (WAV)', () => void this.#saveSound('up')),
          action('Save what was heard (WAV)', () => void this.#saveSound('down')),
          action('Let the module fail', () => this.fail()),
        ),
      ),
    );
    void this.#prepare();
  }

  /** Switches the device on or off. */
  async power(on: boolean): Promise<void> {
    if (!on) {
      this.#tell({ do: 'power', on: false });
      return;
    }
    await this.#ready;
    await this.#openSound();
    await this.#prepare();
    this.#tell({ do: 'configure', settings: structuredClone(this.settings) });
    this.#tell({ do: 'power', on: true });
  }

  /** The button goes down: starts to talk, or, where it is no button to be held, stops it. */
  press(): void {
    if (this.#talk.disabled) return;
    this.#notice.hidden = true;
    if (this.settings.mode === 'manual') {
      if (this.#holding) return;
      this.#holding = true;
      this.#talk.classList.add('held');
      if (this.activity === 'speaking') this.abort();
      this.listen();
    } else if (this.activity === 'listening' || (this.activity === 'speaking' && this.settings.mode === 'realtime')) {
      this.stopListening();
    } else {
      if (this.activity === 'speaking') this.abort();
      this.listen();
    }
  }

  /** The button goes up. */
  release(): void {
    this.#talk.classList.remove('held');
    if (!this.#holding) return;
    this.#holding = false;
    this.stopListening();
  }

  /** The space bar is the button. */
  key(event: KeyboardEvent, down: boolean): void {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (event.repeat) return;
    if (down) this.press();
    else this.release();
  }

  listen(mode: ListenMode = this.settings.mode): void {
    this.#tell({ do: 'listen', mode });
  }

  stopListening(): void {
    this.#tell({ do: 'stop-listening' });
  }

  abort(reason?: string): void {
    this.#tell(reason === undefined ? { do: 'abort' } : { do: 'abort', reason });
  }

  hangup(): void {
    this.#tell({ do: 'hangup' });
  }

  /** The module's next call fails: a frame is lost, the call goes on. */
  fail(): void {
    this.#tell({ do: 'fail-module' });
  }

  configure(settings: Partial<Settings>): void {
    Object.assign(this.settings, settings);
    this.#tell({ do: 'configure', settings: structuredClone(this.settings) });
    this.#label();
  }

  get log(): readonly Entry[] {
    return this.#timeline.entries;
  }

  /** All that is known of the session, without secrets. */
  session(): object {
    const { password: _p, signatureKey: _k, ...settings } = this.settings;
    return { saved: new Date().toISOString(), module: this.sha256, settings, statistics: this.statistics, conversation: this.conversation, notices: this.notices, timeline: this.log };
  }

  /** A packet of the log, looked into. */
  inspect(number: number): Promise<Inspection | undefined> {
    return this.#ask<Inspection | undefined>({ do: 'inspect', number });
  }

  recording(): Promise<Recording> {
    return this.#ask<Recording>({ do: 'recording' });
  }

  // ----

  #tell(command: Command, transfer: Transferable[] = []): void {
    this.#worker.postMessage(command, transfer);
  }

  #ask<T>(question: { do: 'inspect'; number: number } | { do: 'recording' }): Promise<T> {
    const id = this.#questions++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve as (value: unknown) => void);
      this.#tell({ ...question, id });
    });
  }

  #heard(event: Event): void {
    switch (event.on) {
      case 'ready':
        this.sha256 = event.sha256;
        this.element?.dispatchEvent(new CustomEvent('module', { bubbles: true, detail: event }));
        return;
      case 'state':
        this.activity = event.activity;
        this.#state.textContent = ACTIVITIES[event.activity] ?? event.activity;
        this.#state.dataset['activity'] = event.activity;
        this.#detail.textContent = [event.carrier && `audio: ${event.carrier}`, event.session && `session ${event.session}`].filter(Boolean).join(' · ');
        this.#power.textContent = event.activity === 'off' ? 'Connect' : 'Disconnect';
        this.#talk.disabled = event.activity === 'off';
        return this.#label();
      case 'notice':
        return this.#warn(event.text);
      case 'log':
        return this.#timeline.add(event.entries);
      case 'show':
        this.conversation.push(event.message);
        return this.#screen.show(event.message);
      case 'mcp': {
        const answer = this.#mcp.answer(event.payload);
        if (answer !== undefined) this.#tell({ do: 'mcp', payload: answer });
        return;
      }
      case 'levels':
        setMeter(this.#meters.up, event.up);
        return setMeter(this.#meters.down, event.down);
      case 'statistics':
        this.statistics = event.statistics;
        this.#graphs.add(event.statistics);
        return this.#count(event.statistics);
      case 'answer':
        this.#answers.get(event.id)?.(event.value);
        this.#answers.delete(event.id);
        return;
    }
  }

  #count({ sent, down, starved, restarts, firstAudio, encodeMicros, decodeMicros }: Statistics): void {
    const figures: [string, string][] = [
      ['Sent', String(sent)],
      ['Received', String(down.received)],
      ['Lost', String(down.lost)],
      ['Concealed', String(down.concealed)],
      ['Recovered', String(down.recovered)],
      ['Late', String(down.late)],
      ['Underruns', String(down.underruns + starved)],
      ['Restarts', String(restarts)],
      ['First audio', firstAudio === null ? '–' : `${Math.round(firstAudio)} ms`],
      ['Encode', encodeMicros ? `${Math.round(encodeMicros)} µs` : '–'],
      ['Decode', decodeMicros ? `${Math.round(decodeMicros)} µs` : '–'],
    ];
    this.#counts.replaceChildren(...figures.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
  }

  #label(): void {
    const { mode } = this.settings;
    const listening = this.activity === 'listening' || this.activity === 'speaking';
    this.#talk.textContent = mode === 'manual' ? 'Hold to talk' : listening && mode === 'realtime' ? 'Stop' : this.activity === 'listening' ? 'Stop' : 'Talk';
    if (mode === 'manual') this.#talk.removeAttribute('aria-pressed');
    else this.#talk.setAttribute('aria-pressed', String(this.activity === 'listening'));
  }

  #warn(text: string): void {
    this.notices.push(text);
    this.#notice.textContent = text;
    this.#notice.hidden = false;
  }

  async #openSound(): Promise<void> {
    if (this.#sound || lacking(false)) return;
    this.#opening ??= (async () => {
      try {
        const { sound, playout } = await Sound.open();
        this.#sound = sound;
        this.#tell({ do: 'audio', rate: sound.rate, playout }, [playout]);
      } catch (error) {
        this.#warn(`The sound card cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
        this.#opening = undefined;
      }
    })();
    await this.#opening;
  }

  /** Sees to it that there is something to say. */
  async #prepare(): Promise<void> {
    const { source } = this.settings;
    if (source === 'microphone') {
      const obstacle = lacking(true);
      if (obstacle) return this.#warn(obstacle);
      if (!this.#sound) return;
      try {
        const capture = await this.#sound.microphone();
        this.#tell({ do: 'audio', rate: this.#sound.rate, capture }, [capture]);
      } catch (error) {
        this.#warn(error instanceof Error ? error.message : String(error));
      }
    } else if (source === 'clip') {
      const response = await fetch(clipUrl);
      await this.#clip(await response.arrayBuffer(), 'The clip');
    }
  }

  async #choseFile(): Promise<void> {
    const file = this.#file.files?.[0];
    if (file) await this.#clip(await file.arrayBuffer(), file.name);
  }

  async #clip(data: ArrayBuffer, name: string): Promise<void> {
    try {
      const { rate, samples } = await decodeFile(data);
      this.#tell({ do: 'clip', rate, samples }, [samples.buffer]);
    } catch {
      this.#warn(`${name} cannot be decoded by this browser: choose another file.`);
    }
  }

  async #saveSound(way: 'up' | 'down'): Promise<void> {
    const { up, upRate, down, downRate } = await this.recording();
    const [samples, rate] = way === 'up' ? [up, upRate] : [down, downRate];
    if (!samples || !rate) return this.#warn('There is no session to be saved yet.');
    save(way === 'up' ? 'sidetone-said.wav' : 'sidetone-heard.wav', 'audio/wav', wav(samples, rate));
  }
}

function meter(label: string): HTMLElement {
  const id = freshId('meter');
  return el(
    'div',
    { class: 'meter' },
    el('span', { id }, label),
    el('div', { class: 'level', role: 'meter', 'aria-labelledby': id, 'aria-valuemin': -60, 'aria-valuemax': 0, 'aria-valuenow': -60, 'aria-valuetext': 'silent' }, el('span', {})),
  );
}

function setMeter(element: HTMLElement, peak: number): void {
  const level = element.querySelector<HTMLElement>('.level');
  const decibels = Math.max(-60, Math.min(0, 20 * Math.log10(peak || 1e-6)));
  level?.style.setProperty('--level', `${((decibels + 60) / 60) * 100}%`);
  level?.setAttribute('aria-valuenow', decibels.toFixed(0));
  level?.setAttribute('aria-valuetext', decibels <= -60 ? 'silent' : `${decibels.toFixed(0)} decibels`);
}
