// Audio of one session: PCM in, packets out; packets in, a frame of PCM out whenever one is due. Codec and crypto are
// the module's, everything that counts and waits is the device crate's.

import { type Bitrate, Decoder, Encoder, Failed, type Media, Opener, Refused, type Sandbox, Session, header } from '@sidetone/media';
import { AdaptivePlayout, FaithfulPlayout } from '@sidetone/device';
import type { Downlink } from '../messages.js';

/** The audio of a session, as the hellos agreed on it. */
export interface Agreed {
  uplink: Params;
  downlink: Params;
  udp: { key: Uint8Array; connectionId: number } | null;
}

interface Params {
  sampleRate: number;
  channels: number;
  frameDuration: number;
}

/** A packet that leaves: sealed, or bare Opus. */
export interface Leaving {
  data: Uint8Array;
  timestamp: number;
}

/** A frame to be heard. */
export interface Frame {
  pcm: Int16Array;
  /** It comes from a packet, and is not made up. */
  isSpeech: boolean;
}

const mean = (before: number, now: number): number => (before === 0 ? now : before * 0.95 + now * 0.05);

export class Voice {
  readonly agreed: Agreed;
  rejected = 0;
  undecodable = 0;
  encodeMicros = 0;
  decodeMicros = 0;
  #media: Media;
  #sandbox: Sandbox;
  #session: Session | undefined;
  #encoder: Encoder | undefined;
  #opener: Opener | undefined;
  #decoder: Decoder;
  #faithful: FaithfulPlayout | undefined;
  #adaptive: AdaptivePlayout;
  /** For WebSocket, whose frames carry no number. */
  #sequence = 0;
  #pending = new Int16Array(0);
  #failed: (error: Failed) => void;

  constructor(
    media: Media,
    agreed: Agreed,
    options: { faithful: boolean; old: boolean; fec: boolean; bitrate: number; quality: 'minimal' | 'medium' | 'full' },
    failed: (error: Failed) => void,
  ) {
    this.agreed = agreed;
    this.#media = media;
    this.#failed = failed;
    this.#sandbox = media.sandbox();
    const { uplink, downlink, udp } = agreed;
    const bitrate: Bitrate = options.bitrate ? { tag: 'bits-per-second', val: options.bitrate } : { tag: 'auto' };
    if (udp) {
      this.#session = Session.open(this.#sandbox, udp.key, {
        role: 'device',
        connectionId: udp.connectionId,
        // What comes in goes past the session, so that the jitter buffer can put it in order before it is decoded.
        incoming: {
          payload: 'opus',
          delivery: 'packets',
          frame: downlink.frameDuration * 1000,
          channels: downlink.channels,
          sampleRate: downlink.sampleRate,
          maxConcealed: 0,
          forwardLimit: 500,
          acceptUnmarkedDownlink: true,
        },
        outgoing: {
          payload: 'opus',
          frame: uplink.frameDuration * 1000,
          channels: uplink.channels,
          sampleRate: uplink.sampleRate,
          application: 'voip',
          bitrate,
          vbr: true,
          dtx: false,
          fec: options.fec,
          expectedLoss: options.fec ? 15 : 0,
          signal: 'voice',
          split: 'auto',
          timestamps: 'elapsed',
        },
        quality: options.quality,
      });
      this.#opener = new Opener(this.#sandbox, udp.key, udp.connectionId, 'downlink');
    } else {
      this.#encoder = Encoder.open(this.#sandbox, {
        sampleRate: uplink.sampleRate,
        channels: uplink.channels,
        application: 'voip',
        bitrate,
        complexity: 5,
        vbr: true,
        dtx: false,
        fec: options.fec,
        expectedLoss: options.fec ? 15 : 0,
        maxBandwidth: 'full',
        signal: 'voice',
        split: 'auto',
      });
    }
    this.#decoder = Decoder.open(this.#sandbox, downlink.sampleRate, downlink.channels);
    this.#adaptive = new AdaptivePlayout(downlink.frameDuration);
    if (options.faithful) this.#faithful = new FaithfulPlayout(options.old);
  }

  get restarts(): number {
    return this.#sandbox.restarts;
  }

  /** Samples a channel of a frame that is played. */
  get frameSamples(): number {
    return (this.agreed.downlink.sampleRate * this.agreed.downlink.frameDuration) / 1000;
  }

  get isPlaying(): boolean {
    return this.#adaptive.isPlaying;
  }

  /** PCM of any length, at the rate of the uplink; returns what it filled. */
  send(pcm: Int16Array, elapsed: number): Leaving[] {
    return this.#timed(() => {
      if (this.#session) return this.#session.send(pcm, elapsed).map((data) => ({ data, timestamp: elapsed }));
      return this.#encode(pcm, elapsed, false);
    });
  }

  /** The tail, filled up with silence. */
  flush(elapsed: number): Leaving[] {
    return this.#timed(() => {
      if (this.#session) return this.#session.flush(elapsed).map((data) => ({ data, timestamp: elapsed }));
      return this.#encode(new Int16Array(0), elapsed, true);
    });
  }

  /** Takes a sealed datagram in. Returns what became of it. */
  datagram(now: number, datagram: Uint8Array): string {
    const { udp } = this.agreed;
    if (!udp || !this.#opener) return 'unexpected';
    try {
      if (this.#faithful) {
        if (!this.#faithful.judge(datagram)) return 'dropped';
        const { header, payload } = this.#media.open(udp.key, datagram);
        return this.#faithful.push(now, header.timestamp, payload);
      }
      const { header: sealed, payload } = this.#opener.open(datagram);
      const { duration, channels } = this.#media.parse(payload);
      if (duration !== this.agreed.downlink.frameDuration * 1000 || channels > this.agreed.downlink.channels) {
        this.#opener.reject();
        this.rejected += 1;
        return 'not-as-negotiated';
      }
      this.#opener.accept(sealed.sequence);
      return this.#adaptive.push(now, sealed.sequence, sealed.timestamp, payload);
    } catch (error) {
      if (error instanceof Failed) this.#failed(error);
      else if (!(error instanceof Refused)) throw error;
      // A replay is what a duplicate is called here; the buffer never sees it.
      this.rejected += 1;
      return error instanceof Refused ? error.tag : 'failed';
    }
  }

  /** Takes a bare packet in. */
  packet(now: number, timestamp: number, payload: Uint8Array): string {
    if (this.#faithful) return this.#faithful.push(now, timestamp, payload);
    const sequence = this.#sequence++;
    const time = timestamp || sequence * this.agreed.downlink.frameDuration;
    return this.#adaptive.push(now, sequence, time, payload);
  }

  startPlayback(now: number): void {
    if (this.#faithful) this.#faithful.start();
    else this.#adaptive.start(now);
  }

  /** `aborted`: the user wants silence at once. Firmware always stops at once. */
  stopPlayback(aborted: boolean): void {
    if (this.#faithful) this.#faithful.stop();
    else if (aborted) this.#adaptive.stop();
    else this.#adaptive.drain();
  }

  /** The next frame, at the rate of the downlink; all zero where there is nothing to play. */
  frame(): Frame {
    const due = (this.#faithful ?? this.#adaptive).step();
    const { step, payload } = due;
    due.free();
    return { pcm: this.#made(step, payload), isSpeech: step === 'decode' };
  }

  #made(step: string, payload: Uint8Array | undefined): Int16Array {
    const silence = (): Int16Array => new Int16Array(this.frameSamples * this.agreed.downlink.channels);
    if (step === 'silence') return silence();
    const begun = performance.now();
    try {
      if (step === 'decode' && payload) return this.#decoder.decode(payload);
      if (step === 'recover' && payload) {
        const { redundancy } = this.#media.parse(payload);
        if (redundancy) {
          const pcm = this.#decoder.recover(payload, this.frameSamples);
          if (pcm.length === silence().length) return pcm;
        }
        this.#adaptive.notRecovered();
      }
      return this.#decoder.conceal(this.frameSamples);
    } catch (error) {
      if (error instanceof Failed) this.#failed(error);
      else if (!(error instanceof Refused)) throw error;
      this.undecodable += 1;
      return silence();
    } finally {
      this.decodeMicros = mean(this.decodeMicros, (performance.now() - begun) * 1000);
    }
  }

  statistics(): Downlink {
    return JSON.parse((this.#faithful ?? this.#adaptive).statistics()) as Downlink;
  }

  /** What is in a packet of either direction, to be looked at; `undefined` where it cannot be decrypted. */
  reveal(data: Uint8Array): Uint8Array | undefined {
    const { udp } = this.agreed;
    if (!udp) return data;
    if (!header(data)) return undefined;
    try {
      return this.#media.open(udp.key, data).payload;
    } catch (error) {
      if (error instanceof Failed) this.#failed(error);
      else if (!(error instanceof Refused)) throw error;
      return undefined;
    }
  }

  close(): void {
    const { udp } = this.agreed;
    for (const part of [this.#session, this.#encoder, this.#opener, this.#decoder]) part?.close();
    this.#sandbox.close();
    this.#adaptive.free();
    this.#faithful?.free();
    if (udp) {
      this.#media.forget(udp.key);
      udp.key.fill(0);
    }
  }

  #encode(pcm: Int16Array, elapsed: number, flush: boolean): Leaving[] {
    const { sampleRate, channels, frameDuration } = this.agreed.uplink;
    const frame = (sampleRate * frameDuration * channels) / 1000;
    let waiting = new Int16Array(this.#pending.length + pcm.length);
    waiting.set(this.#pending);
    waiting.set(pcm, this.#pending.length);
    if (flush && waiting.length % frame !== 0) {
      const whole = new Int16Array(Math.ceil(waiting.length / frame) * frame);
      whole.set(waiting);
      waiting = whole;
    }
    const leaving: Leaving[] = [];
    let at = 0;
    for (; at + frame <= waiting.length; at += frame) {
      const data = this.#encoder?.encode(waiting.subarray(at, at + frame));
      if (data) leaving.push({ data, timestamp: Math.floor(elapsed + leaving.length * frameDuration) });
    }
    this.#pending = waiting.slice(at);
    return leaving;
  }

  #timed(run: () => Leaving[]): Leaving[] {
    const begun = performance.now();
    try {
      const leaving = run();
      if (leaving.length > 0) {
        this.encodeMicros = mean(this.encodeMicros, ((performance.now() - begun) * 1000) / leaving.length);
      }
      return leaving;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.#failed(error);
      this.#pending = new Int16Array(0);
      return [];
    }
  }
}
