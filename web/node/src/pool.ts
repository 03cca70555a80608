// The worker pool of Node voice gateways, by the calls that they make. What is different behind them: a stream stays with one
// codec on one thread, so its frames come out in order and its codec keeps its state; pools share threads.

import { join } from 'node:path';
import { type EncoderConfig, type SessionConfig, voice } from '#media';
import { Busy, Closed } from './errors.js';
import type { Decoded, Part } from './messages.js';
import { type Detailed, PerformanceMonitor, type Performance } from './monitor.js';
import { Session, copy, samples } from './session.js';
import type { Thread } from './thread.js';
import { type Holder, type Seat, Threads } from './threads.js';

/** Settings of a pool. */
export interface PoolOptions {
  /** Most time for one operation, its wait included, ms [50]. */
  operationTimeout?: number;
  /** Most time to open a codec or a session, or to start a thread, ms [500]. */
  initTimeout?: number;
  /** Most operations of one stream in flight [128]. */
  queue?: number;
  /** Most streams and sessions of this pool [1024]. */
  streams?: number;
  /** Another script for the threads; for tests and benchmarks. */
  worker?: string;
}

/** What `initializeWorker` takes: the sample rate and channels that gateways give, and any setting of the encoder. */
export type CodecParams = { sampleRate: number; channels?: number } & Partial<EncoderConfig>;

/** What `getStats` gives. */
export interface PoolStats<P = Performance> {
  workers: number;
  activeWorkers: number;
  pendingRequests: number;
  performance: P;
  /** Streams and sessions open. */
  streams: number;
  /** Threads started in the place of one that hung or ended. */
  restarts: number;
  /** Packets that were text, and swallowed. */
  text: number;
  /** Packets that were no audio, and concealed. */
  undecodable: number;
}

const MOST_THREADS = 64;

/** A pool of worker threads for Opus. Without a stream named, all calls are of one stream. */
export class WorkerPoolManager implements Holder {
  readonly threads: number;
  readonly operationTimeout: number;
  readonly initTimeout: number;
  readonly queue: number;
  readonly performanceMonitor = new PerformanceMonitor();
  #mostStreams: number;
  #group: Threads;
  #encoder?: EncoderConfig;
  #decoder?: { sampleRate: number; channels: number };
  #streams = new Map<string, Seat>();
  #sessions = new Set<Session>();
  #pending = 0;
  #text = 0;
  #undecodable = 0;
  #closed = false;
  /** Of the threads, before this pool used them. */
  #restartsBefore: number;
  #logging?: NodeJS.Timeout;

  /** `workerCount`: threads, shared with the other pools of the process. */
  constructor(workerCount = 2, options: PoolOptions = {}) {
    this.threads = count(workerCount, 'workerCount', MOST_THREADS);
    this.operationTimeout = count(options.operationTimeout ?? 50, 'operationTimeout');
    this.initTimeout = count(options.initTimeout ?? 500, 'initTimeout');
    this.queue = count(options.queue ?? 128, 'queue');
    this.#mostStreams = count(options.streams ?? 1024, 'streams');
    this.#group = Threads.hold(options.worker ?? join(__dirname, 'worker.cjs'), this.initTimeout, this);
    this.#restartsBefore = restarts(this.#group.of(this));
  }

  /** Sets how the encoders (`init_encoder`) or decoders (`init_decoder`) of this pool are opened, and opens a stream's. */
  async initializeWorker(type: 'init_encoder' | 'init_decoder', params: CodecParams, stream = ''): Promise<void> {
    const { sampleRate, channels = 1 } = params;
    if (type === 'init_encoder') this.#encoder = { ...voice(sampleRate), ...params, channels };
    else if (type === 'init_decoder') this.#decoder = { sampleRate, channels };
    else throw new TypeError(`initializeWorker takes init_encoder or init_decoder, not ${String(type)}`);
    const part = type === 'init_encoder' ? 'encoder' : 'decoder';
    const seat = this.#seat(stream);
    this.#opens(seat, part);
    await this.#ask(seat, part, 'open', [], this.initTimeout);
  }

  /**
   * Encodes one frame of `frameSize` samples a channel. A shorter one, the last of a talk spurt, is filled up with silence.
   * Frames of one stream go to one encoder and come out in order.
   */
  async encodeOpus(pcmData: Uint8Array | Int16Array, frameSize?: number, stream = ''): Promise<Buffer> {
    const channels = this.#encoder?.channels ?? 1;
    let pcm = samples(pcmData);
    if (pcm.length === 0) throw new RangeError('PCM of no samples: a frame has some');
    const size = (frameSize ?? pcm.length / channels) * channels;
    if (!Number.isInteger(size) || size <= 0 || size > 5760 * channels) {
      throw new RangeError(`a frame of ${String(frameSize)} samples: it must be 1 to 5760`);
    }
    if (pcm.length > size) {
      throw new RangeError(`PCM of ${pcm.length} samples is more than the frame of ${size}: give one frame a call`);
    }
    if (pcm.length < size) {
      const whole = new Int16Array(size);
      whole.set(pcm);
      pcm = whole;
    }
    return buffer((await this.#ask(this.#seat(stream), 'encoder', 'encode', [pcm])) as Uint8Array);
  }

  /**
   * Decodes one packet to PCM, little-endian 16-bit. Text (`ping`, `keepalive`, …) is swallowed: no bytes come out.
   * What is no Opus is concealed, as a lost packet is, and never played as noise.
   */
  async decodeOpus(opusData: Uint8Array, stream = ''): Promise<Buffer> {
    const packet = copy(opusData);
    if (packet.length === 0) throw new RangeError('a packet of no bytes: for a lost one call concealOpus');
    return this.#heard(await this.#ask(this.#seat(stream), 'decoder', 'decode', [packet]));
  }

  /** Makes up the PCM of a packet that was lost. */
  async concealOpus(stream = ''): Promise<Buffer> {
    return this.#heard(await this.#ask(this.#seat(stream), 'decoder', 'conceal', []));
  }

  /** Closes the codecs of a stream. */
  closeStream(stream = ''): void {
    this.#streams.get(stream)?.close();
    this.#streams.delete(stream);
  }

  /** Opens a session: crypto, replay window, codecs, concealment and framing in one. `key`: 16 bytes. */
  async openSession(key: Uint8Array, config: SessionConfig): Promise<Session> {
    this.#roomFor();
    const session = new Session(this.#group.seat(this), this.#host, key, structuredClone(config));
    this.#sessions.add(session);
    try {
      await session.open(this.initTimeout);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  getStats(): PoolStats {
    return { ...this.#counts(), performance: this.performanceMonitor.getStats() };
  }

  getDetailedStats(): PoolStats<Detailed> {
    return { ...this.#counts(), performance: this.performanceMonitor.getDetailedStats() };
  }

  /** Prints figures every so often. */
  startMetricsLogging(intervalSeconds = 30): void {
    this.stopMetricsLogging();
    this.#logging = setInterval(() => console.log(line(this.getStats())), intervalSeconds * 1000);
    this.#logging.unref();
  }

  stopMetricsLogging(): void {
    clearInterval(this.#logging);
    this.#logging = undefined;
  }

  /** Closes all streams and sessions; ends the threads, where no other pool uses them. */
  async terminate(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.stopMetricsLogging();
    this.performanceMonitor.stop();
    for (const seat of this.#streams.values()) seat.close();
    this.#streams.clear();
    for (const session of [...this.#sessions]) session.close();
    await this.#group.release(this);
  }

  /** What sessions may ask. */
  get #host() {
    return {
      operationTimeout: this.operationTimeout,
      queue: this.queue,
      count: (_: Seat, started: bigint, error?: unknown) => this.#count(started, error),
      left: (session: Session) => void this.#sessions.delete(session),
    };
  }

  #roomFor(): void {
    if (this.#closed) throw new Closed('the pool');
    if (this.#streams.size + this.#sessions.size >= this.#mostStreams) {
      throw new Busy(`${this.#mostStreams} streams are open in this pool: close some, or set \`streams\``);
    }
  }

  #seat(stream: string): Seat {
    let seat = this.#streams.get(stream);
    if (!seat) {
      this.#roomFor();
      seat = this.#group.seat(this);
      this.#streams.set(stream, seat);
      this.#opens(seat, 'encoder');
      this.#opens(seat, 'decoder');
    }
    return seat;
  }

  #opens(seat: Seat, part: 'encoder' | 'decoder'): void {
    const [encoder, decoder] = [this.#encoder, this.#decoder];
    if (part === 'encoder' && encoder) seat.opens(part, () => ({ part, config: encoder }));
    if (part === 'decoder' && decoder) seat.opens(part, () => ({ part, ...decoder }));
  }

  async #ask(seat: Seat, part: Part, operation: string, args: unknown[], milliseconds = this.operationTimeout) {
    if (this.#closed) throw new Closed('the pool');
    if (!seat.has(part)) throw new Error(`no ${part} is set up: call initializeWorker('init_${part}', …) first`);
    if (seat.pending >= this.queue) {
      throw new Busy(`${this.queue} operations of this stream are in flight: the most there may be`);
    }
    const started = process.hrtime.bigint();
    this.#pending += 1;
    try {
      const value = await seat.ask(part, operation, args, milliseconds);
      if (operation !== 'open') this.#count(started);
      return value;
    } catch (error) {
      this.#count(started, error);
      throw error;
    } finally {
      this.#pending -= 1;
    }
  }

  #count(started: bigint, error?: unknown): void {
    if (error !== undefined) return this.performanceMonitor.recordError();
    this.performanceMonitor.recordProcessingTime(started);
    this.performanceMonitor.recordFrame();
    this.performanceMonitor.recordQueueSize(this.#pending);
  }

  #heard(decoded: unknown): Buffer {
    const { pcm, instead } = decoded as Decoded;
    if (instead === 'text') this.#text += 1;
    if (instead === 'undecodable') this.#undecodable += 1;
    return buffer(pcm);
  }

  #counts(): Omit<PoolStats, 'performance'> {
    const threads = this.#closed ? [] : this.#group.of(this);
    return {
      workers: threads.length,
      activeWorkers: threads.filter((thread) => thread.active).length,
      pendingRequests: this.#pending,
      streams: this.#streams.size + this.#sessions.size,
      restarts: this.#closed ? 0 : restarts(threads) - this.#restartsBefore,
      text: this.#text,
      undecodable: this.#undecodable,
    };
  }
}

function restarts(threads: readonly Thread[]): number {
  return threads.reduce((sum, thread) => sum + thread.restarts, 0);
}

function buffer(view: Uint8Array | Int16Array): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

function count(value: unknown, what: string, most = 2 ** 31 - 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
    throw new RangeError(`${what} must be a whole number from 1 to ${most}, not ${String(value)}`);
  }
  return value;
}

function line({ workers, activeWorkers, pendingRequests, streams, performance }: PoolStats): string {
  const { framesProcessed, framesPerSecond, avgLatency, maxLatency, avgCpuUsage, currentMemory, errors } = performance;
  return (
    `[sidetone pool] workers ${activeWorkers}/${workers}, streams ${streams}, pending ${pendingRequests}, ` +
    `frames ${framesProcessed} (${framesPerSecond}/s), latency ${avgLatency} (max ${maxLatency}), ` +
    `cpu ${avgCpuUsage}, heap ${currentMemory.heapUsed}, errors ${errors}`
  );
}
