// One device's voice stream, both directions: a datagram in is one call, PCM out another.

import type { Stream } from '../dist/interfaces/sidetone-media-session.js';
import type { Root } from '../dist/sidetone.js';
import { bytes, millis, samples, u32 } from './guard.js';
import { Opened, Sealed, header } from './mirror.js';
import { Resource, type Sandbox } from './sandbox.js';
import { Secret } from './secret.js';
import type { Config, Quality, Received, State, Stats } from './types.js';

/** No datagram is longer: header and payload. More is handed on all the same, to be refused. */
const MOST_BYTES = 65_535;

/** How a session is opened; where it continues is the session's own to know. */
export type SessionConfig = Omit<Config, 'resume'> & { resume?: State };

/** One session. Survives failures of the module: key, nonces, replay window and place go on; a frame is lost. */
export class Session extends Resource<Stream> {
  #secret: Secret;
  #config: SessionConfig;
  #sealed: Sealed;
  #opened = new Opened();
  #position: bigint;
  #quality: Quality;

  private constructor(sandbox: Sandbox, secret: Secret, config: SessionConfig) {
    super(sandbox);
    this.#secret = secret;
    this.#config = config;
    this.#quality = config.quality;
    this.#sealed = new Sealed(u32(config.connectionId, 'a connection id'), config.role === 'gateway');
    this.#position = config.resume?.position ?? 0n;
    if (config.resume) Object.assign(this.#sealed, config.resume.sealed);
  }

  /** Opens a session. `key`: 16 bytes or 32 hexadecimal digits. */
  static open(sandbox: Sandbox, key: Uint8Array | string, config: SessionConfig): Session {
    const session = new Session(sandbox, new Secret(key), structuredClone(config));
    session.use(() => undefined);
    return session;
  }

  protected override reopen({ session }: Root): Stream {
    const { resume } = this.#config;
    const begun = this.#sealed.nextSequence > 1 || this.#opened.state().highest !== undefined;
    const state: State | undefined = begun
      ? { sealed: this.#sealed.state(), opened: this.#opened.state(), position: this.#position }
      : resume;
    return session.Stream.open(this.#secret.expose(), { ...this.#config, quality: this.#quality, resume: state });
  }

  /** Takes one datagram in. {@link Refused}: it was dropped, and nothing but counters changed. */
  receive(datagram: Uint8Array | ArrayBuffer): Received {
    const data = bytes(datagram, 'a datagram', MOST_BYTES);
    return this.use((stream) => {
      const received = stream.receive(data);
      const sequence = header(data)?.sequence;
      if (sequence === undefined) throw new Error('a datagram without a header was taken for audio');
      this.#opened.accepted(sequence);
      const { channels, sampleRate, frame } = this.#config.incoming;
      const own = received.kind === 'audio' || received.kind === 'undecodable' ? 1 : 0;
      const frames = BigInt(received.concealed + received.recovered + own);
      const passed = received.position + (frames * BigInt(sampleRate) * BigInt(frame)) / 1_000_000n;
      if (passed > this.#position) this.#position = passed;
      if (received.samples.length % channels !== 0) throw new Error(`${received.samples.length} samples`);
      return received;
    });
  }

  /** Takes PCM of any length; returns the datagrams that it filled. `timestamp`: ms since the hello. */
  send(pcm: Int16Array, timestamp: number): Uint8Array[] {
    const frames = samples(pcm, this.#config.outgoing.channels);
    const at = millis(timestamp);
    return this.#leave((stream) => stream.send(frames, at));
  }

  /** Ends a talk spurt: the tail, filled up with silence. */
  flush(timestamp: number): Uint8Array[] {
    const at = millis(timestamp);
    return this.#leave((stream) => stream.flush(at));
  }

  /** Seals a payload made elsewhere. */
  sendPayload(payload: Uint8Array | ArrayBuffer, timestamp: number): Uint8Array {
    const data = bytes(payload, 'a payload', MOST_BYTES);
    const at = millis(timestamp);
    const [datagram] = this.#leave((stream) => [stream.sendPayload(data, at)]);
    if (!datagram) throw new Error('no datagram');
    return datagram;
  }

  /** Drops what waits: the speaker was interrupted. */
  discard(): void {
    this.use((stream) => stream.discard());
  }

  setQuality(quality: Quality): void {
    this.use((stream) => stream.setQuality(quality));
    this.#quality = quality;
  }

  /** Counts since the instance was opened. */
  stats(): Stats {
    return this.use((stream) => stream.stats());
  }

  /** What another session of the same key would have to continue from. */
  state(): State {
    return { sealed: this.#sealed.state(), opened: this.#opened.state(), position: this.#position };
  }

  override close(): void {
    super.close();
    this.#secret.forget();
  }

  #leave(run: (stream: Stream) => Uint8Array[]): Uint8Array[] {
    return this.use((stream) => {
      const datagrams = run(stream);
      for (const datagram of datagrams) this.#sealed.leaves(datagram);
      return datagrams;
    });
  }
}
