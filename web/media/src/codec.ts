// Opus by itself.

import type { Decoder as InnerDecoder, Encoder as InnerEncoder } from '../dist/interfaces/sidetone-media-codec.js';
import type { Root } from '../dist/sidetone.js';
import { bytes, samples, u32 } from './guard.js';
import { Resource, type Sandbox } from './sandbox.js';
import type { EncoderConfig } from './types.js';

const MOST_BYTES = 65_535;

/** What most ask for: speech, 24 kbit/s, mono. */
export function voice(sampleRate: number): EncoderConfig {
  return {
    sampleRate,
    channels: 1,
    application: 'voip',
    bitrate: { tag: 'bits-per-second', val: 24_000 },
    complexity: 5,
    vbr: true,
    dtx: false,
    fec: false,
    expectedLoss: 0,
    maxBandwidth: 'full',
    signal: 'voice',
    split: 'auto',
  };
}

/** One stream of packets being made. After a failure it begins anew. */
export class Encoder extends Resource<InnerEncoder> {
  #config: EncoderConfig;

  private constructor(sandbox: Sandbox, config: EncoderConfig) {
    super(sandbox);
    this.#config = structuredClone(config);
  }

  static open(sandbox: Sandbox, config: EncoderConfig): Encoder {
    const encoder = new Encoder(sandbox, config);
    encoder.use(() => undefined);
    return encoder;
  }

  protected override reopen({ codec }: Root): InnerEncoder {
    return codec.Encoder.open(this.#config);
  }

  /** Changes settings at a frame boundary. Rate, channels and application stay. */
  configure(config: EncoderConfig): void {
    this.use((encoder) => encoder.configure(config));
    this.#config = structuredClone(config);
  }

  /** Encodes one frame of 2.5 to 120 ms. */
  encode(pcm: Int16Array): Uint8Array {
    const frame = samples(pcm, this.#config.channels);
    return this.use((encoder) => encoder.encode(frame));
  }

  finalRange(): number {
    return this.use((encoder) => encoder.finalRange());
  }

  /** Samples a channel by which the coded audio lags behind. */
  lookahead(): number {
    return this.use((encoder) => encoder.lookahead());
  }

  reset(): void {
    this.use((encoder) => encoder.reset());
  }
}

/** One stream of packets being decoded. After a failure it begins anew. */
export class Decoder extends Resource<InnerDecoder> {
  #sampleRate: number;
  #channels: number;

  private constructor(sandbox: Sandbox, sampleRate: number, channels: number) {
    super(sandbox);
    this.#sampleRate = u32(sampleRate, 'a sample rate');
    this.#channels = u32(channels, 'a number of channels');
  }

  /** PCM comes out at this rate and these channels, whatever the packets were made from. */
  static open(sandbox: Sandbox, sampleRate: number, channels = 1): Decoder {
    const decoder = new Decoder(sandbox, sampleRate, channels);
    decoder.use(() => undefined);
    return decoder;
  }

  protected override reopen({ codec }: Root): InnerDecoder {
    return codec.Decoder.open(this.#sampleRate, this.#channels);
  }

  decode(packet: Uint8Array | ArrayBuffer): Int16Array {
    const data = bytes(packet, 'a packet', MOST_BYTES);
    return this.use((decoder) => decoder.decode(data));
  }

  /** The last samples before `following`, from the redundancy in it; may be empty. */
  recover(following: Uint8Array | ArrayBuffer, samplesPerChannel: number): Int16Array {
    const data = bytes(following, 'a packet', MOST_BYTES);
    const count = u32(samplesPerChannel, 'a number of samples');
    return this.use((decoder) => decoder.recover(data, count));
  }

  /** Makes up samples for a lost packet. */
  conceal(samplesPerChannel: number): Int16Array {
    const count = u32(samplesPerChannel, 'a number of samples');
    return this.use((decoder) => decoder.conceal(count));
  }

  finalRange(): number {
    return this.use((decoder) => decoder.finalRange());
  }

  reset(): void {
    this.use((decoder) => decoder.reset());
  }
}
