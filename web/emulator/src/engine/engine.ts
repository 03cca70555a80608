// The device: takes commands and audio, speaks to the gateway, tells the page what happens. Lives in a worker, so that
// a busy page stops nothing. What it is made of stands beside it: call, card, speech, path, link, journal.

import type { Media } from '@sidetone/media';
import { Device } from '@sidetone/device';
import type { Command, Event, Shown, Statistics } from '../messages.js';
import { type Settings, defaults } from '../settings.js';
import { Call, type Recording, louder } from './call.js';
import { Card } from './card.js';
import { said } from './datagrams.js';
import { Journal } from './journal.js';
import { type Link, open } from './link.js';
import { Path } from './path.js';
import { Speech } from './speech.js';
import type { Agreed } from './voice.js';

type Output = { output: string } & Record<string, unknown>;

/** A connection that the gateway ends before this time is out, in ms, was hardly ended by a network. */
const SHORT = 90_000;

/** So many of those in a row may be two devices of one name: the gateway says so too, in its log. */
const QUARREL = 2;

/** How often statistics and the timeline go to the page, in ms. */
const REPORT = 250;

export class Engine {
  #settings: Settings = defaults();
  #device: Device | undefined;
  #link: Link | undefined;
  #path: Path | undefined;
  #call: Call | undefined;
  /** What was recorded of the call before. */
  #last: Recording | undefined;
  #journal: Journal;
  #speech = new Speech();
  #card = new Card({
    frame: (ahead) => this.#call?.frame(ahead),
    heard: (samples) => this.#microphone(samples),
  });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #capturing = false;
  #aborted = false;
  #pressedAt: number | undefined;
  #restarts = 0;
  /** When the gateway took the connection in; how often it has let go of one that was new, in a row. */
  #taken: number | undefined;
  #dropped = 0;
  /** The connection was there, and is gone. */
  #lost = false;
  #levels = { up: 0, down: 0 };

  constructor(
    private readonly media: Media,
    /** The module's next frame fails. */
    private readonly failNext: () => void,
    private readonly tell: (event: Event, transfer?: Transferable[]) => void,
  ) {
    this.#journal = new Journal(media);
    setInterval(() => this.#report(), REPORT);
  }

  command(command: Command): void {
    switch (command.do) {
      case 'configure':
        this.#settings = command.settings;
        return this.#path?.configure(command.settings);
      case 'power':
        return command.on ? this.#start() : this.#input({ input: 'stop' });
      case 'listen':
        this.#pressed(command.at);
        return this.#input({ input: 'listen', mode: command.mode });
      case 'stop-listening':
        if (this.#capturing) this.#call?.flush();
        this.#pressed(command.at);
        return this.#input({ input: 'stop-listening' });
      case 'abort':
        this.#aborted = true;
        this.#input({ input: 'abort', reason: command.reason ?? null });
        return this.#call?.stopPlayback(true);
      case 'detect':
        return this.#input({ input: 'detect', text: command.text });
      case 'hangup':
        return this.#input({ input: 'hangup' });
      case 'mcp':
        return this.#input({ input: 'mcp', payload: command.payload });
      case 'audio':
        return this.#card.attach(command.rate, command.capture, command.playout);
      case 'card':
        return this.#card.run(command.running);
      case 'clip':
        this.#speech.clip = { rate: command.rate, samples: command.samples };
        return;
      case 'fail-module':
        return this.failNext();
      case 'report':
        this.#report();
        return this.tell({ on: 'answer', id: command.id, value: this.#statistics() });
      case 'inspect':
        return this.tell({ on: 'answer', id: command.id, value: this.#journal.inspect(command.number) });
      case 'recording':
        return this.tell({ on: 'answer', id: command.id, value: this.#call?.recording() ?? this.#last });
    }
  }

  /** The button went down or up, at a time that the page's clock and ours tell alike. */
  #pressed(at: number): void {
    this.#pressedAt = at - performance.timeOrigin;
    this.#call?.pressed(this.#pressedAt);
  }

  #start(): void {
    if (this.#device && this.#device.activity !== 'off') return;
    const { firmware, transport, version, frame, seed, mode } = this.#settings;
    const plain = transport === 'websocket';
    this.#device?.free();
    this.#device = new Device(
      JSON.stringify({
        firmware,
        transport: plain ? 'websocket' : 'udp',
        version: plain ? Number(version) : 3,
        frameDuration: Number(frame),
        aec: mode === 'realtime',
        seed,
      }),
    );
    this.#path?.free();
    this.#path = new Path(this.#settings, {
      beside: (timestamp, data) => this.#link?.sendAudio(timestamp, data),
      arrived: (now, timestamp, data) => this.#call?.arrived(now, timestamp, data),
      waiting: () => this.#schedule(),
      found: () => {
        this.#journal.add('here', 'state', `audio through ${this.#path?.carrier ?? ''}`);
        this.#state();
      },
      notice: (level, text) => this.#notice(level, text),
    });
    [this.#lost, this.#taken, this.#dropped] = [false, undefined, 0];
    this.#input({ input: 'start' });
  }

  // ---- The device's state machine

  #input(input: { input: string } & Record<string, unknown>): void {
    if (!this.#device) return;
    this.#carryOut(this.#device.input(performance.now(), JSON.stringify(input)));
  }

  #message(text: string): void {
    if (!this.#device) return;
    // The key of a session shows nowhere.
    this.#journal.add('down', 'message', text.replace(/("key"\s*:\s*")[0-9a-f]{32}"/i, '$1…"'), text.length);
    try {
      this.#carryOut(this.#device.message(performance.now(), new TextEncoder().encode(text)));
    } catch (error) {
      this.#journal.add('here', 'error', `not understood: ${said(error)}`);
    }
  }

  #carryOut(outputs: string): void {
    for (const output of JSON.parse(outputs) as Output[]) {
      try {
        this.#do(output);
      } catch (error) {
        this.#notice('error', `${output.output}: ${said(error)}`);
      }
    }
    this.#state();
    this.#schedule();
  }

  #do(output: Output): void {
    switch (output.output) {
      case 'connect':
        return this.#connect();
      case 'disconnect':
        this.#link?.close();
        this.#link = undefined;
        return this.#journal.add('here', 'state', 'disconnected');
      case 'send':
        this.#link?.send(String(output['text']));
        return this.#journal.add('up', 'message', String(output['text']), String(output['text']).length);
      case 'open-media':
        return this.#openMedia(output as unknown as Agreed);
      case 'close-media':
        this.#closeMedia();
        return this.#journal.add('here', 'state', `session over: ${String(output['cause'])}`);
      case 'start-capture':
        return this.#startCapture();
      case 'stop-capture':
        return this.#stopCapture();
      case 'start-playback':
        this.#aborted = false;
        return this.#call?.startPlayback();
      case 'stop-playback':
        return this.#call?.stopPlayback(this.#aborted);
      case 'show':
        return this.tell({ on: 'show', message: output['message'] as Shown });
      case 'mcp':
        return this.tell({ on: 'mcp', payload: output['payload'] });
      case 'failed':
        return this.#notice('error', FAILURES[String(output['failure'])] ?? String(output['failure']));
    }
  }

  #connect(): void {
    this.#link?.close();
    const ears = {
      connected: () => {
        this.#journal.add('here', 'state', 'connected');
        if (this.#lost) this.#notice('info', 'Connected again.');
        [this.#lost, this.#taken] = [false, performance.now()];
        this.#input({ input: 'connected' });
      },
      disconnected: (why: string) => {
        this.#link = undefined;
        this.#lost = true;
        this.#notice('warning', `The connection to the gateway is gone: ${why}${this.#quarrel()}`);
        if (this.#settings.transport === 'websocket') this.#input({ input: 'hangup' });
        this.#input({ input: 'disconnected' });
      },
      message: (text: string) => this.#message(text),
      audio: (timestamp: number, payload: Uint8Array) => this.#path?.arrive(performance.now(), timestamp, payload),
    };
    try {
      this.#link = open(this.#settings, ears);
    } catch (error) {
      // An address or an identity that cannot be: the same again would be no better.
      this.#notice('error', `No connection: ${said(error)}. Correct it under “Device and gateway”, and connect again.`);
      this.#input({ input: 'stop' });
    }
  }

  /** What to say of a connection that is lost, where others were, each soon after it was taken in. */
  #quarrel(): string {
    const short = this.#taken !== undefined && performance.now() - this.#taken < SHORT;
    this.#dropped = short ? this.#dropped + 1 : 0;
    this.#taken = undefined;
    if (this.#dropped < QUARREL) return '';
    return `. That makes ${this.#dropped} in a row: is another device of the MAC address ${this.#settings.mac} connected? They push each other out: give one of them another address`;
  }

  // ---- Audio of a session

  #openMedia(agreed: Agreed): void {
    const path = this.#path;
    if (!path) return;
    this.#call = new Call(agreed, this.#settings, {
      media: this.media,
      path,
      card: this.#card,
      journal: this.#journal,
      levels: this.#levels,
      heard: () => void this.#device?.input(performance.now(), '{"input":"audio-heard"}'),
      failed: ({ message }) => this.#notice('warning', `${message}. The frame in hand is lost.`),
    });
    if (this.#pressedAt !== undefined) this.#call.pressed(this.#pressedAt);
    this.#journal.add('here', 'state', `session ${this.#device?.sessionId ?? ''}`);
  }

  #closeMedia(): void {
    this.#stopCapture();
    if (!this.#call) return;
    this.#restarts += this.#call.statistics().restarts;
    this.#last = this.#call.recording();
    this.#call.close();
    this.#call = undefined;
  }

  #startCapture(): void {
    if (this.#capturing) return;
    this.#capturing = true;
    this.#card.forget();
    const { source } = this.#settings;
    // Where there is none, the page has said so.
    if (source === 'microphone') return;
    if (source === 'file' && !this.#speech.clip) this.#notice('warning', 'No audio file is chosen yet: a tone is sent instead.');
    const take = (samples: Float32Array): void => this.#call?.speak(samples);
    this.#speech.start(source === 'tone' ? 'tone' : 'clip', this.#call?.rate ?? 16_000, take);
  }

  #stopCapture(): void {
    this.#speech.stop();
    this.#capturing = false;
    this.#levels.up = 0;
  }

  #microphone(samples: Float32Array): void {
    if (this.#settings.source !== 'microphone') return;
    if (this.#capturing) this.#call?.speak(samples);
    else this.#levels.up = louder(this.#levels.up, samples);
  }

  // ---- Time

  #schedule(): void {
    clearTimeout(this.#timer);
    const times = [this.#device?.nextTimeout, this.#link?.nextTimeout, this.#path?.nextDue];
    const next = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(next)) return;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      this.#link?.tick(now);
      this.#path?.pump(now);
      this.#input({ input: 'tick' });
    }, Math.max(0, next - performance.now()));
  }

  // ---- Telling

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.#journal.add('here', level === 'info' ? 'state' : 'error', text);
    this.tell({ on: 'notice', level, text });
  }

  #state(): void {
    const activity = this.#device?.activity ?? 'off';
    this.tell({
      on: 'state',
      activity,
      online: activity !== 'off' && activity !== 'offline' && this.#link !== undefined,
      session: this.#device?.sessionId ?? '',
      carrier: this.#path?.carrier ?? '',
      capturing: this.#capturing,
      playing: this.#call?.isPlaying ?? false,
    });
  }

  #report(): void {
    const entries = this.#journal.take();
    if (entries.length > 0) this.tell({ on: 'log', entries });
    if (!this.#call?.isPlaying) this.#levels.down = 0;
    this.tell({ on: 'levels', ...this.#levels });
    const statistics = this.#statistics();
    if (statistics) this.tell({ on: 'statistics', statistics });
  }

  #statistics(): Statistics | undefined {
    const statistics = this.#call?.statistics();
    return statistics && { ...statistics, restarts: this.#restarts + statistics.restarts };
  }
}

const FAILURES: Record<string, string> = {
  'not-connected': 'No session: there is no connection to the gateway.',
  'hello-timeout': 'No session: the gateway did not answer the hello within 10 s.',
  'bad-hello': 'No session: the gateway answered with audio or a transport that cannot be used.',
};
