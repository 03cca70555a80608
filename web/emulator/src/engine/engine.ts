// The device: takes commands and audio, speaks to the gateway, tells the page what happens. Lives in a worker, so that
// a busy page stops nothing.

import { type Failed, type Media, header, toFloat32, toInt16 } from '@sidetone/media';
import { Device, Network, Resampler } from '@sidetone/device';
import type { Command, Entry, Event, Inspection, NetworkCounts, Shown } from '../messages.js';
import { type Settings, defaults } from '../settings.js';
import { type Datagrams, connect, said } from './datagrams.js';
import { type Link, open } from './link.js';
import { Recorder } from './recorder.js';
import { Source } from './source.js';
import { type Agreed, Voice } from './voice.js';

type Output = { output: string } & Record<string, unknown>;

/** Packets that are kept to be looked into. */
const KEPT = 1024;

/** How often statistics and the timeline go to the page, in ms. */
const REPORT = 250;

/** How often a source that is not a microphone gives samples, in ms. */
const SLICE = 20;

/** Milliseconds of audio that wait at the sound card, at most. */
const LEAD = 100;

/** The most datagrams that wait for their way to be there. */
const MOST_EARLY = 20;

export class Engine {
  #settings: Settings = defaults();
  #device: Device | undefined;
  #link: Link | undefined;
  #datagrams: Datagrams | undefined;
  #early: Uint8Array[] = [];
  #voice: Voice | undefined;
  #up: Network | undefined;
  #down: Network | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #helloAt = 0;
  #pressedAt: number | undefined;
  #firstAudio: number | null = null;
  #capturing = false;
  #playing = false;
  #aborted = false;
  #sent = 0;
  #sentBytes = 0;
  #starved = 0;
  #restarts = 0;
  #levels = { up: 0, down: 0 };
  // Sources.
  #clip: { rate: number; samples: Float32Array } | undefined;
  #source: Source | undefined;
  #sourceTimer: ReturnType<typeof setInterval> | undefined;
  #sourceTaken = 0;
  #sourceBegan = 0;
  // The sound card.
  #cardRate = 0;
  #capture: MessagePort | undefined;
  #playout: MessagePort | undefined;
  #fromCard: Resampler | undefined;
  #toCard: Resampler | undefined;
  #pushed = 0;
  #begins = false;
  #virtualClock: ReturnType<typeof setInterval> | undefined;
  // What happened.
  #entries: Entry[] = [];
  #number = 0;
  #kept = new Map<number, { data: Uint8Array; sealed: boolean; payload?: Uint8Array }>();
  #recorded: { up: Recorder; down: Recorder } | undefined;

  constructor(
    private readonly media: Media,
    private readonly tell: (event: Event, transfer?: Transferable[]) => void,
  ) {
    setInterval(() => this.#report(), REPORT);
  }

  command(command: Command): void {
    switch (command.do) {
      case 'configure':
        return this.#configure(command.settings);
      case 'power':
        return command.on ? this.#start() : this.#input({ input: 'stop' });
      case 'listen':
        this.#pressedAt = performance.now();
        this.#firstAudio = null;
        return this.#input({ input: 'listen', mode: command.mode });
      case 'stop-listening':
        // What was said belongs before the message that says that it is all.
        this.#flush();
        this.#pressedAt = performance.now();
        return this.#input({ input: 'stop-listening' });
      case 'abort':
        this.#aborted = true;
        this.#input({ input: 'abort', reason: command.reason ?? null });
        this.#voice?.stopPlayback(true);
        return;
      case 'detect':
        return this.#input({ input: 'detect', text: command.text });
      case 'hangup':
        return this.#input({ input: 'hangup' });
      case 'mcp':
        return this.#input({ input: 'mcp', payload: command.payload });
      case 'audio':
        return this.#audio(command.rate, command.capture, command.playout);
      case 'clip':
        this.#clip = { rate: command.rate, samples: command.samples };
        return;
      case 'inspect':
        return this.tell({ on: 'answer', id: command.id, value: this.#inspect(command.number) });
      case 'recording': {
        const [up, down] = [this.#recorded?.up, this.#recorded?.down];
        const value = { up: up?.samples(), upRate: up?.rate, down: down?.samples(), downRate: down?.rate };
        return this.tell({ on: 'answer', id: command.id, value });
      }
      case 'fail-module':
        return this.#failNext();
    }
  }

  // ---- Settings and power

  #configure(settings: Settings): void {
    this.#settings = settings;
    this.#up?.set(JSON.stringify(settings.up));
    this.#down?.set(JSON.stringify(settings.down));
  }

  #start(): void {
    const { firmware, transport, version, frame, seed, up, down, mode } = this.#settings;
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
    this.#up?.free();
    this.#down?.free();
    this.#up = new Network(JSON.stringify(up), seed * 2);
    this.#down = new Network(JSON.stringify(down), seed * 2 + 1);
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
    this.#log('down', 'message', text.replace(/("key"\s*:\s*")[0-9a-f]{32}"/i, '$1…"'), text.length);
    try {
      this.#carryOut(this.#device.message(performance.now(), new TextEncoder().encode(text)));
    } catch (error) {
      this.#log('here', 'error', `not understood: ${said(error)}`, 0);
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
        this.#link?.close();
        this.#link = open(this.#settings, {
          connected: () => {
            this.#log('here', 'state', 'connected', 0);
            this.#input({ input: 'connected' });
          },
          disconnected: (why) => {
            this.#link = undefined;
            this.#notice('warning', `The connection to the gateway is gone: ${why}`);
            if (this.#settings.transport === 'websocket') this.#input({ input: 'hangup' });
            this.#input({ input: 'disconnected' });
          },
          message: (text) => this.#message(text),
          audio: (timestamp, payload) => this.#arrive(payload, timestamp),
        });
        return;
      case 'disconnect':
        this.#link?.close();
        this.#link = undefined;
        return this.#log('here', 'state', 'disconnected', 0);
      case 'send':
        this.#link?.send(String(output['text']));
        return this.#log('up', 'message', String(output['text']), String(output['text']).length);
      case 'open-media':
        return this.#openMedia(output as unknown as Agreed);
      case 'close-media':
        this.#closeMedia();
        return this.#log('here', 'state', `session over: ${String(output['cause'])}`, 0);
      case 'start-capture':
        return this.#startCapture();
      case 'stop-capture':
        return this.#stopCapture();
      case 'start-playback':
        this.#aborted = false;
        this.#playing = true;
        this.#begins = true;
        this.#voice?.startPlayback(performance.now());
        return this.#keepTime();
      case 'stop-playback':
        this.#playing = false;
        this.#voice?.stopPlayback(this.#aborted);
        return;
      case 'show':
        return this.tell({ on: 'show', message: output['message'] as Shown });
      case 'mcp':
        return this.tell({ on: 'mcp', payload: output['payload'] });
      case 'failed':
        return this.#notice('error', FAILURES[String(output['failure'])] ?? String(output['failure']));
    }
  }

  // ---- Audio of a session

  #openMedia(agreed: Agreed): void {
    const udp = agreed.udp ? { ...agreed.udp, key: Uint8Array.from(agreed.udp.key) } : null;
    const { playout, firmware, fec, bitrate, webTransport, certificate, transport } = this.#settings;
    const options = { faithful: playout === 'faithful', old: firmware === '2025', fec, bitrate: Number(bitrate), quality: 'medium' as const };
    this.#voice = new Voice(this.media, { ...agreed, udp }, options, (error) => this.#failed(error));
    this.#helloAt = performance.now();
    this.#sent = this.#sentBytes = this.#starved = 0;
    this.#recorded = { up: new Recorder(agreed.uplink.sampleRate), down: new Recorder(agreed.downlink.sampleRate) };
    this.#resample();
    this.#log('here', 'state', `session ${this.#device?.sessionId ?? ''}`, 0);
    if (!udp) return;
    const prefer = transport === 'mqtt-websocket' ? 'websocket' : transport === 'webtransport' ? 'webtransport' : 'auto';
    this.#findWay({ prefer, webTransport, certificate });
  }

  #findWay(ways: { prefer: 'auto' | 'webtransport' | 'websocket'; webTransport: string; certificate: string }): void {
    const voice = this.#voice;
    const webSocket = new URL('/media', this.#settings.gateway).href;
    connect({
      ...ways,
      webSocket,
      received: (datagram) => this.#arrive(datagram),
      broke: (why) => {
        this.#datagrams = undefined;
        this.#notice('warning', `The way of the audio broke (${why}); finding another`);
        // Where the gateway is gone altogether, this fails, and the session ends by its own clock.
        if (this.#voice === voice) this.#findWay({ ...ways, prefer: 'websocket' });
      },
      notice: (text) => this.#notice('warning', text),
    }).then(
      (datagrams) => {
        if (this.#voice !== voice || !voice) return datagrams.close();
        this.#datagrams = datagrams;
        this.#log('here', 'state', `audio through ${datagrams.name}`, 0);
        for (const early of this.#early.splice(0)) datagrams.send(early);
        this.#state();
      },
      (error: unknown) => this.#notice('error', said(error)),
    );
  }

  #closeMedia(): void {
    this.#stopCapture();
    this.#playing = false;
    this.#restarts += this.#voice?.restarts ?? 0;
    this.#voice?.close();
    this.#voice = undefined;
    this.#datagrams?.close();
    this.#datagrams = undefined;
    this.#early = [];
    this.#up?.clear();
    this.#down?.clear();
  }

  // ---- Up

  #startCapture(): void {
    if (this.#capturing) return;
    this.#capturing = true;
    this.#fromCard?.reset();
    const rate = this.#voice?.agreed.uplink.sampleRate ?? 16000;
    if (this.#settings.source === 'microphone') {
      if (!this.#capture) this.#notice('warning', 'There is no microphone: nothing is sent.');
      return;
    }
    this.#source =
      this.#settings.source === 'tone' || !this.#clip ? Source.tone(rate) : new Source(this.#atRate(this.#clip, rate));
    this.#sourceTaken = 0;
    this.#sourceBegan = performance.now();
    this.#sourceTimer = setInterval(() => {
      // By the clock, not by the count of calls: timers come late.
      const due = Math.floor(((performance.now() - this.#sourceBegan) / 1000) * rate) - this.#sourceTaken;
      const samples = this.#source?.take(Math.min(due, rate));
      this.#sourceTaken += due;
      if (samples) this.#speak(samples);
    }, SLICE);
  }

  #stopCapture(): void {
    clearInterval(this.#sourceTimer);
    this.#capturing = false;
    this.#source = undefined;
    this.#levels.up = 0;
  }

  #speak(samples: Float32Array): void {
    const voice = this.#voice;
    if (!voice || !this.#capturing || samples.length === 0) return;
    this.#levels.up = Math.max(this.#levels.up * 0.7, peak(samples));
    const pcm = toInt16(samples);
    this.#recorded?.up.add(pcm);
    for (const { data, timestamp } of voice.send(pcm, performance.now() - this.#helloAt)) this.#leave(data, timestamp);
  }

  #flush(): void {
    if (!this.#voice || !this.#capturing) return;
    for (const { data, timestamp } of this.#voice.flush(performance.now() - this.#helloAt)) this.#leave(data, timestamp);
    // The message overtakes nothing: what waits in the network of our making is let go of first.
    this.#pump(Number.POSITIVE_INFINITY);
  }

  #leave(data: Uint8Array, timestamp: number): void {
    this.#sent += 1;
    this.#sentBytes += data.length;
    this.#keep('up', data, 'sent');
    const framed = new Uint8Array(data.length + 4);
    new DataView(framed.buffer).setUint32(0, timestamp);
    framed.set(data, 4);
    this.#up?.push(performance.now(), framed);
    this.#pump(performance.now());
    this.#schedule();
  }

  // ---- Down

  #arrive(data: Uint8Array, timestamp = 0): void {
    const framed = new Uint8Array(data.length + 4);
    new DataView(framed.buffer).setUint32(0, timestamp);
    framed.set(data, 4);
    this.#down?.push(performance.now(), framed);
    this.#pump(performance.now());
    this.#schedule();
  }

  /** Moves what has come through the networks of our making by now. */
  #pump(until: number): void {
    const now = performance.now();
    for (let framed = this.#up?.pop(until); framed; framed = this.#up?.pop(until)) {
      const [data, timestamp] = unframed(framed);
      if (!this.#voice) continue;
      if (!this.#voice.agreed.udp) this.#link?.sendAudio(timestamp, data);
      else if (this.#datagrams) this.#datagrams.send(data);
      else if (this.#early.length < MOST_EARLY) this.#early.push(data);
    }
    const passed = Math.min(until, now);
    for (let framed = this.#down?.pop(passed); framed; framed = this.#down?.pop(passed)) {
      const [data, timestamp] = unframed(framed);
      if (!this.#voice) continue;
      const sealed = this.#voice.agreed.udp !== null;
      const fate = sealed ? this.#voice.datagram(now, data) : this.#voice.packet(now, timestamp, data);
      this.#keep('down', data, fate);
      if (fate === 'queued' || fate === 'not-playing') {
        this.#device?.input(now, '{"input":"audio-heard"}');
        if (this.#pressedAt !== undefined && fate === 'queued') {
          this.#firstAudio = now - this.#pressedAt;
          this.#pressedAt = undefined;
        }
      }
    }
  }

  /** A frame for the sound card, where it has little left. */
  #feed(waiting: number): void {
    const voice = this.#voice;
    if (!voice || (!this.#playing && !voice.isPlaying)) {
      this.#playout?.postMessage({ playing: false });
      this.#levels.down *= 0.7;
      return;
    }
    let samples = waiting;
    const lead = (this.#cardRate * LEAD) / 1000;
    if (this.#begins) {
      // Silence first: several frames taken at once would empty the buffer that evens out the network.
      this.#begins = false;
      const frame = (this.#cardRate * voice.agreed.downlink.frameDuration) / 1000;
      const silence = new Float32Array(Math.max(0, Math.floor(lead - frame - samples)));
      samples += silence.length;
      this.#pushed += silence.length;
      this.#playout?.postMessage({ playing: true, samples: silence }, [silence.buffer]);
    }
    while (samples < lead) {
      const frame = voice.frame();
      this.#recorded?.down.add(frame);
      const floats = toFloat32(frame);
      this.#levels.down = Math.max(this.#levels.down * 0.7, peak(floats));
      const forCard = this.#toCard ? this.#toCard.process(floats) : floats;
      samples += forCard.length;
      this.#pushed += forCard.length;
      this.#playout?.postMessage({ playing: true, samples: forCard }, [forCard.buffer]);
    }
  }

  /** Where there is no sound card, time passes all the same: frames are made, and recorded. */
  #keepTime(): void {
    if (this.#playout || this.#virtualClock) return;
    const voice = this.#voice;
    if (!voice) return;
    const { frameDuration } = voice.agreed.downlink;
    let due = performance.now();
    this.#virtualClock = setInterval(() => {
      const current = this.#voice;
      if (this.#playout || !current || (!this.#playing && !current.isPlaying)) {
        clearInterval(this.#virtualClock);
        this.#virtualClock = undefined;
        return;
      }
      for (; due <= performance.now(); due += frameDuration) {
        const frame = current.frame();
        this.#recorded?.down.add(frame);
        this.#levels.down = Math.max(this.#levels.down * 0.7, peak(toFloat32(frame)));
      }
    }, frameDuration / 2);
  }

  // ---- The sound card

  #audio(rate: number, capture?: MessagePort, playout?: MessagePort): void {
    this.#cardRate = rate;
    this.#capture = capture ?? this.#capture;
    this.#playout = playout ?? this.#playout;
    this.#resample();
    if (capture) {
      capture.onmessage = ({ data }) => {
        const samples = data as Float32Array;
        if (this.#settings.source !== 'microphone') return;
        if (this.#capturing) this.#speak(this.#fromCard ? this.#fromCard.process(samples) : samples);
        else this.#levels.up = Math.max(this.#levels.up * 0.9, peak(samples));
      };
    }
    if (playout) {
      this.#pushed = 0;
      playout.onmessage = ({ data }) => {
        const { consumed, starved } = data as { consumed: number; starved: number };
        if (starved > 0) this.#starved += starved;
        this.#feed(this.#pushed - consumed);
      };
    }
  }

  #resample(): void {
    if (!this.#cardRate) return;
    const { uplink, downlink } = this.#voice?.agreed ?? { uplink: { sampleRate: 16000 }, downlink: { sampleRate: 24000 } };
    this.#fromCard?.free();
    this.#toCard?.free();
    this.#fromCard = new Resampler(this.#cardRate, uplink.sampleRate);
    this.#toCard = new Resampler(downlink.sampleRate, this.#cardRate);
  }

  #atRate(clip: { rate: number; samples: Float32Array }, rate: number): Float32Array {
    if (clip.rate === rate) return clip.samples;
    const resampler = new Resampler(clip.rate, rate);
    const samples = resampler.process(clip.samples);
    resampler.free();
    return samples;
  }

  // ---- Time

  #schedule(): void {
    clearTimeout(this.#timer);
    const times = [this.#device?.nextTimeout, this.#link?.nextTimeout, this.#up?.nextDue, this.#down?.nextDue];
    const next = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(next)) return;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      this.#link?.tick(now);
      this.#pump(now);
      this.#input({ input: 'tick' });
    }, Math.max(0, next - performance.now()));
  }

  // ---- Telling

  #failed(error: Failed): void {
    this.#notice('warning', `${error.message}. The frame in hand is lost.`);
  }

  /** For tests and demonstrations: the module's next call fails. */
  #failNext(): void {
    globalThis.dispatchEvent(new CustomEvent('sidetone-fail-module'));
  }

  #notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.#log('here', level === 'info' ? 'state' : 'error', text, 0);
    this.tell({ on: 'notice', level, text });
  }

  #log(direction: Entry['direction'], kind: Entry['kind'], text: string, bytes: number): void {
    this.#number += 1;
    const number = this.#number;
    this.#entries.push({ number, time: performance.now(), direction, kind, text, bytes });
  }

  #keep(direction: 'up' | 'down', data: Uint8Array, fate: string): void {
    const sealed = this.#voice?.agreed.udp ? header(data) : undefined;
    const text = sealed ? `#${sealed.sequence} · ${sealed.timestamp} ms · ${sealed.payloadLen} B` : `${data.length} B`;
    this.#log(direction, 'audio', fate === 'sent' || fate === 'queued' ? text : `${text} · ${fate}`, data.length);
    const number = this.#number;
    let payload: Uint8Array | undefined;
    try {
      payload = sealed ? this.#voice?.reveal(data) : data;
    } catch {
      // Not ours, or broken: then there is nothing inside to be shown.
    }
    this.#kept.set(number, payload ? { data, sealed: sealed !== undefined, payload } : { data, sealed: sealed !== undefined });
    if (this.#kept.size > KEPT) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
  }

  #inspect(number: number): Inspection | undefined {
    const kept = this.#kept.get(number);
    if (!kept) return undefined;
    const { data, sealed, payload } = kept;
    const inspection: Inspection = { datagram: data };
    const head = sealed ? header(data) : undefined;
    if (head) inspection.header = head;
    if (payload) {
      inspection.payload = payload;
      inspection.toc = payload[0];
      try {
        inspection.opus = this.media.parse(payload);
      } catch (error) {
        inspection.problem = said(error);
      }
    }
    return inspection;
  }

  #state(): void {
    const activity = this.#device?.activity ?? 'off';
    const plain = this.#settings.transport === 'websocket';
    this.tell({
      on: 'state',
      activity,
      online: activity !== 'off' && activity !== 'offline' && this.#link !== undefined,
      session: this.#device?.sessionId ?? '',
      carrier: this.#voice ? (plain ? 'WebSocket' : (this.#datagrams?.name ?? '…')) : '',
      capturing: this.#capturing,
      playing: this.#playing,
    });
  }

  #report(): void {
    if (this.#entries.length > 0) this.tell({ on: 'log', entries: this.#entries.splice(0) });
    this.tell({ on: 'levels', ...this.#levels });
    const voice = this.#voice;
    if (!voice || !this.#up || !this.#down) return;
    this.tell({
      on: 'statistics',
      statistics: {
        time: performance.now(),
        sent: this.#sent,
        sentBytes: this.#sentBytes,
        down: voice.statistics(),
        network: { up: JSON.parse(this.#up.counts()) as NetworkCounts, down: JSON.parse(this.#down.counts()) as NetworkCounts },
        starved: this.#starved,
        rejected: voice.rejected,
        undecodable: voice.undecodable,
        restarts: this.#restarts + voice.restarts,
        firstAudio: this.#firstAudio,
        encodeMicros: voice.encodeMicros,
        decodeMicros: voice.decodeMicros,
      },
    });
  }
}

const FAILURES: Record<string, string> = {
  'not-connected': 'No session: there is no connection to the gateway.',
  'hello-timeout': 'No session: the gateway did not answer the hello within 10 s.',
  'bad-hello': 'No session: the gateway answered with audio or a transport that cannot be used.',
};

function unframed(framed: Uint8Array): [Uint8Array, number] {
  return [framed.slice(4), new DataView(framed.buffer, framed.byteOffset).getUint32(0)];
}

function peak(samples: Float32Array): number {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}
