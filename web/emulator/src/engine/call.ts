// The audio of one session: what is said goes up, what is heard comes down, and both are counted and recorded.

import { type Failed, type Media, toFloat32, toInt16 } from '@sidetone/media';
import type { Statistics } from '../messages.js';
import type { Settings } from '../settings.js';
import type { Card } from './card.js';
import type { Journal } from './journal.js';
import type { Path } from './path.js';
import { Recorder } from './recorder.js';
import { type Agreed, Voice } from './voice.js';

/** How much of a peak is left at the next look. */
const FALL = 0.7;

/** What a call is made with, and lasts longer than it. */
export interface Surroundings {
  media: Media;
  path: Path;
  card: Card;
  journal: Journal;
  /** Peaks of late, from 0 to 1. */
  levels: { up: number; down: number };
  /** Audio of the gateway came. */
  heard(): void;
  failed(error: Failed): void;
}

/** What can be saved of a call. */
export interface Recording {
  up: Int16Array;
  upRate: number;
  down: Int16Array;
  downRate: number;
  /** Only the beginning was kept. */
  isCut: boolean;
}

export class Call {
  /** Milliseconds from the last press of the button to the first audio that was heard. */
  firstAudio: number | null = null;
  #voice: Voice;
  #around: Surroundings;
  #recorded: { up: Recorder; down: Recorder };
  #begun = performance.now();
  #playing = false;
  #pressedAt: number | undefined;
  #sent = { packets: 0, bytes: 0 };

  constructor(agreed: Agreed, { playout, firmware, fec, bitrate }: Settings, around: Surroundings) {
    const { uplink, downlink } = agreed;
    const udp = agreed.udp ? { ...agreed.udp, key: Uint8Array.from(agreed.udp.key) } : null;
    const options = { faithful: playout === 'faithful', old: firmware === '2025', fec, bitrate: Number(bitrate), quality: 'medium' as const };
    this.#voice = new Voice(around.media, { ...agreed, udp }, options, around.failed);
    this.#around = around;
    this.#recorded = { up: new Recorder(uplink.sampleRate), down: new Recorder(downlink.sampleRate) };
    around.card.use(uplink.sampleRate, downlink.sampleRate, downlink.frameDuration);
    around.path.open(udp !== null);
  }

  get rate(): number {
    return this.#voice.agreed.uplink.sampleRate;
  }

  get isPlaying(): boolean {
    return this.#playing || this.#voice.isPlaying;
  }

  /** The button went down or up. */
  pressed(at: number): void {
    this.#pressedAt = at;
    this.firstAudio = null;
  }

  // ---- Up

  /** Samples at {@link rate}. */
  speak(samples: Float32Array): void {
    this.#around.levels.up = louder(this.#around.levels.up, samples);
    const pcm = toInt16(samples);
    this.#recorded.up.add(pcm);
    this.#leave(this.#voice.send(pcm, performance.now() - this.#begun));
  }

  /** The tail of what was said, before the message that says that it is all. */
  flush(): void {
    this.#leave(this.#voice.flush(performance.now() - this.#begun));
    // The message overtakes nothing: what waits in the network of our making is let go of first.
    this.#around.path.pump(performance.now(), Number.POSITIVE_INFINITY);
  }

  #leave(packets: ReturnType<Voice['send']>): void {
    for (const { data, timestamp } of packets) {
      this.#sent.packets += 1;
      this.#sent.bytes += data.length;
      this.#keep('up', data, 'sent');
      this.#around.path.leave(performance.now(), timestamp, data);
    }
  }

  // ---- Down

  arrived(now: number, timestamp: number, data: Uint8Array): void {
    const fate = this.#voice.agreed.udp ? this.#voice.datagram(now, data) : this.#voice.packet(now, timestamp, data);
    this.#keep('down', data, fate);
    if (fate === 'queued' || fate === 'not-playing') this.#around.heard();
  }

  startPlayback(): void {
    this.#playing = true;
    this.#voice.startPlayback(performance.now());
    this.#around.card.begin();
  }

  /** `aborted`: the user wants silence at once. */
  stopPlayback(aborted: boolean): void {
    this.#playing = false;
    this.#voice.stopPlayback(aborted);
  }

  /** The next frame, heard in `ahead` ms; `undefined` where nothing is being played. */
  frame(ahead: number): Int16Array | undefined {
    if (!this.isPlaying) return undefined;
    const { pcm, isSpeech } = this.#voice.frame();
    this.#recorded.down.add(pcm);
    this.#around.levels.down = louder(this.#around.levels.down, toFloat32(pcm));
    if (isSpeech && this.#pressedAt !== undefined) {
      this.firstAudio = performance.now() + ahead - this.#pressedAt;
      this.#pressedAt = undefined;
    }
    return pcm;
  }

  // ----

  close(): void {
    this.#voice.close();
    this.#around.path.close();
  }

  recording(): Recording {
    const { up, down } = this.#recorded;
    return { up: up.samples(), upRate: up.rate, down: down.samples(), downRate: down.rate, isCut: up.isCut || down.isCut };
  }

  statistics(): Statistics {
    const voice = this.#voice;
    return {
      time: performance.now(),
      sent: this.#sent.packets,
      sentBytes: this.#sent.bytes,
      down: voice.statistics(),
      network: this.#around.path.counts(),
      playing: this.isPlaying,
      starved: this.#around.card.starved,
      stalls: this.#around.card.stalls,
      rejected: voice.rejected,
      undecodable: voice.undecodable,
      restarts: voice.restarts,
      firstAudio: this.firstAudio,
      encodeMicros: voice.encodeMicros,
      decodeMicros: voice.decodeMicros,
    };
  }

  #keep(direction: 'up' | 'down', data: Uint8Array, fate: string): void {
    this.#around.journal.packet(direction, data, fate, this.#voice.agreed.udp !== null, this.#voice.reveal(data));
  }
}

/** A level that rises at once, and falls slowly. */
export function louder(level: number, samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return Math.max(level * FALL, peak);
}
