// One device on the page: its panel, its worker, its sound.

import type { Command, Entry, Event, Inspection, Shown, Statistics } from '../messages.js';
import type { Impairment, ListenMode, Settings } from '../settings.js';
import { choice, el, field, freshId, save, section } from '../../../ui/dom.js';
import { Conversation } from './conversation.js';
import { Counts } from './counts.js';
import { Graphs } from './graphs.js';
import { Mcp } from './mcp.js';
import { Meter } from './meter.js';
import { Remote } from './remote.js';
import { connection, network } from './setup.js';
import { Talk } from './talk.js';
import { Timeline } from './timeline.js';
import { Voices } from './voices.js';
import { wav } from './wav.js';

interface Recording {
  up: Int16Array;
  upRate: number;
  down: Int16Array;
  downRate: number;
  isCut: boolean;
}

/** Messages and notices that are kept for scripts and for the saved session. */
const KEPT = 500;

const ACTIVITIES: Record<string, string> = {
  off: 'Switched off',
  offline: 'No connection',
  idle: 'Connected',
  opening: 'Opening a session …',
  ready: 'In a session',
  listening: 'Listening',
  speaking: 'Speaking',
};

const MODES = [
  ['manual', 'Hold to talk'],
  ['auto', 'Auto: server hears the end'],
  ['realtime', 'Realtime: both talk'],
] as const;

export class DeviceView {
  readonly element: HTMLElement;
  activity = 'off';
  statistics: Statistics | undefined;
  readonly conversation: Shown[] = [];
  readonly notices: string[] = [];
  sha256 = '';
  #remote = new Remote((event) => this.#heard(event), (why) => this.warn(why));
  #changed: () => void;
  #timeline = new Timeline((number) => this.inspect(number));
  #screen = new Conversation();
  #graphs = new Graphs();
  #counts = new Counts();
  #mcp = new Mcp();
  #voices: Voices;
  #talk: Talk;
  #meters = { up: new Meter('Microphone'), down: new Meter('Loudspeaker') };
  #state = el('span', { class: 'activity', role: 'status' }, ACTIVITIES['off']);
  #detail = el('span', { class: 'quiet' });
  #notice = el('p', { class: 'notice', role: 'alert', hidden: true });
  #power = el('button', { type: 'button', class: 'power', onclick: () => void this.power(this.activity === 'off') }, 'Connect');

  constructor(
    readonly settings: Settings,
    index: number,
    several: boolean,
    changed: () => void,
  ) {
    this.#talk = new Talk(this, index === 0);
    this.#changed = () => {
      this.#remote.tell({ do: 'configure', settings: structuredClone(settings) });
      this.#talk.label();
      changed();
    };
    this.#voices = new Voices(settings, this.#remote, (text) => this.warn(text), this.#changed);
    this.element = this.#build(index, several);
    this.#changed();
    void this.#voices.prepare();
  }

  /** Switches the device on or off. */
  async power(on: boolean): Promise<void> {
    if (!on) return this.#tell({ do: 'power', on: false });
    await this.#remote.ready;
    await this.#voices.open();
    await this.#voices.prepare();
    this.#tell({ do: 'power', on: true });
  }

  /** The space bar is the button. */
  key(event: KeyboardEvent, down: boolean): void {
    this.#talk.key(event, down);
  }

  listen(mode: ListenMode = this.settings.mode): void {
    this.#notice.hidden = true;
    if (this.activity !== 'off') void this.#voices.again();
    this.#tell({ do: 'listen', mode, at: now() });
  }

  stopListening(): void {
    this.#tell({ do: 'stop-listening', at: now() });
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

  /** Of a direction's network, too, only what is named changes. */
  configure({ up, down, ...settings }: Partial<Omit<Settings, 'up' | 'down'>> & { up?: Partial<Impairment>; down?: Partial<Impairment> }): void {
    Object.assign(this.settings, settings);
    Object.assign(this.settings.up, up);
    Object.assign(this.settings.down, down);
    for (const control of this.element.querySelectorAll('[name]')) control.dispatchEvent(new CustomEvent('reflect'));
    this.#changed();
  }

  get log(): readonly Entry[] {
    return this.#timeline.entries;
  }

  /** All that is known of the session, without secrets. */
  session(): object {
    const { password: _p, signatureKey: _k, ...settings } = this.settings;
    const { sha256: module, statistics, conversation, notices, log: timeline } = this;
    return { saved: new Date().toISOString(), module, settings, statistics, conversation, notices, timeline };
  }

  /** Statistics as they are now; all that happened before is in the log then. */
  report(): Promise<Statistics | undefined> {
    return this.#remote.ask<Statistics | undefined>({ do: 'report' });
  }

  /** A packet of the log, looked into. */
  inspect(number: number): Promise<Inspection | undefined> {
    return this.#remote.ask<Inspection | undefined>({ do: 'inspect', number });
  }

  /** What was said and heard in this session, or in the one before. */
  recording(): Promise<Recording | undefined> {
    return this.#remote.ask<Recording | undefined>({ do: 'recording' });
  }

  // ----

  #tell(command: Command): void {
    this.#remote.tell(command);
  }

  #heard(event: Event): void {
    switch (event.on) {
      case 'ready':
        this.sha256 = event.sha256;
        this.element.dispatchEvent(new CustomEvent('module', { bubbles: true, detail: event }));
        return;
      case 'state':
        this.activity = event.activity;
        this.#state.textContent = ACTIVITIES[event.activity] ?? event.activity;
        this.#state.dataset['activity'] = event.activity;
        // A session outlives the connection for a while: its audio goes a way of its own.
        this.#detail.textContent = [event.session && !event.online && 'no connection', event.carrier && `audio: ${event.carrier}`, event.session && `session ${event.session}`].filter(Boolean).join(' · ');
        this.#power.textContent = event.activity === 'off' ? 'Connect' : 'Disconnect';
        return this.#talk.label();
      case 'notice':
        return this.warn(event.text, event.level);
      case 'log':
        return this.#timeline.add(event.entries);
      case 'show':
        keep(this.conversation, event.message);
        return this.#screen.show(event.message);
      case 'mcp': {
        const answer = this.#mcp.answer(event.payload);
        if (answer !== undefined) this.#tell({ do: 'mcp', payload: answer });
        return;
      }
      case 'levels':
        this.#meters.up.set(event.up);
        return this.#meters.down.set(event.down);
      case 'statistics':
        this.statistics = event.statistics;
        this.#graphs.add(event.statistics);
        return this.#counts.show(event.statistics);
    }
  }

  /** Says something, until the button is pressed next. */
  warn(text: string, level: 'info' | 'warning' | 'error' = 'warning'): void {
    if (level !== 'info') keep(this.notices, text);
    this.#notice.textContent = text;
    this.#notice.classList.toggle('calm', level === 'info');
    this.#notice.hidden = false;
  }

  async #saveSound(way: 'up' | 'down'): Promise<void> {
    const recording = await this.recording();
    if (!recording) return this.warn('There is no session to be saved yet.');
    const { up, upRate, down, downRate, isCut } = recording;
    if (isCut) this.warn('The recording has the first ten minutes of each direction: no more is kept.');
    if (way === 'up') save('sidetone-said.wav', 'audio/wav', wav(up, upRate));
    else save('sidetone-heard.wav', 'audio/wav', wav(down, downRate));
  }

  #build(index: number, several: boolean): HTMLElement {
    const { settings } = this;
    const title = freshId('device');
    const mode = choice(MODES, settings.mode, (value) => {
      settings.mode = value as ListenMode;
      this.#changed();
    });
    mode.name = 'mode';
    mode.addEventListener('reflect', () => (mode.value = settings.mode));
    const action = (label: string, run: () => void): HTMLButtonElement => el('button', { type: 'button', onclick: run }, label);
    const word = el('input', { type: 'text', value: 'Hello' });
    const talking = el(
      'div',
      { class: 'panel talking' },
      this.#talk.button,
      this.#talk.hint,
      el('div', { class: 'meters' }, this.#meters.up.element, this.#meters.down.element),
      el('div', { class: 'pair' }, field('Mode', mode), this.#voices.choice),
      this.#voices.file,
      el('div', { class: 'row actions' }, action('Interrupt', () => this.abort()), action('Goodbye', () => this.hangup())),
    );
    const wake = el('div', { class: 'row' }, field('Text', word), action('Say as wake word', () => this.#tell({ do: 'detect', text: word.value })));
    const saving = el(
      'div',
      { class: 'row actions' },
      action('Save session (JSON)', () => save('sidetone-session.json', 'application/json', JSON.stringify(this.session(), null, 2))),
      action('Save what was said (WAV)', () => void this.#saveSound('up')),
      action('Save what was heard (WAV)', () => void this.#saveSound('down')),
      action('Let the module fail', () => this.fail()),
    );
    const column = (...children: HTMLElement[]): HTMLElement => el('div', { class: 'column' }, ...children);
    return el(
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
        column(talking, connection(settings, this.#changed), network(settings, !several, this.#changed)),
        column(section('Conversation', true, this.#screen.element), section('Wake word and text', false, wake), section('Tools (MCP)', false, this.#mcp.element)),
        column(section('Graphs', true, this.#counts.element, this.#graphs.element)),
      ),
      section('Timeline', !several, this.#timeline.element, saving),
    );
  }
}

/** Adds to a list that does not grow for ever. */
function keep<T>(list: T[], one: T): void {
  list.push(one);
  if (list.length > KEPT) list.shift();
}

/** Milliseconds since 1970, as the worker's clock tells them too. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
