// A thread: the codecs and sessions of the streams that are seated here, each stream in an instance of its own.

import { parentPort, workerData } from 'node:worker_threads';
import { Decoder, Encoder, Media, Refused, type Sandbox, Session } from '#media';
import type { Decoded, FromWorker, Opening, Reply, Request, ToWorker } from './messages.js';
import type { Compiled } from './modules.js';
import { isText } from './text.js';

if (!parentPort) throw new Error('this file is a thread of the pool: start it with `new WorkerPoolManager(n)`');
const port = parentPort;
const { modules, sha256 } = workerData as Compiled;
const media = new Media(modules, sha256);

/** A decoder that puts something in the place of what is no audio. */
class Ear {
  #decoder: Decoder;
  #channels: number;
  /** Samples a channel of the last packet; 60 ms before there was one. */
  #last: number;

  constructor(sandbox: Sandbox, sampleRate: number, channels: number) {
    this.#decoder = Decoder.open(sandbox, sampleRate, channels);
    this.#channels = channels;
    this.#last = (sampleRate * 60) / 1000;
  }

  decode(packet: Uint8Array): Decoded {
    if (isText(packet)) return { pcm: new Int16Array(0), instead: 'text' };
    try {
      const pcm = this.#decoder.decode(packet);
      this.#last = pcm.length / this.#channels;
      return { pcm };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { pcm: this.#decoder.conceal(this.#last), instead: 'undecodable' };
    }
  }

  conceal(): Decoded {
    return { pcm: this.#decoder.conceal(this.#last) };
  }

  close(): void {
    this.#decoder.close();
  }
}

/** A stream, in a sandbox of its own. */
class Stream {
  #sandbox = media.sandbox();
  encoder?: Encoder;
  decoder?: Ear;
  session?: Session;

  open(opening: Opening): void {
    switch (opening.part) {
      case 'encoder':
        this.encoder?.close();
        this.encoder = Encoder.open(this.#sandbox, opening.config);
        break;
      case 'decoder':
        this.decoder?.close();
        this.decoder = new Ear(this.#sandbox, opening.sampleRate, opening.channels);
        break;
      case 'session':
        this.session = Session.open(this.#sandbox, opening.key, opening.config);
        opening.key.fill(0);
        break;
    }
  }

  close(): void {
    this.encoder?.close();
    this.decoder?.close();
    this.session?.close();
    this.#sandbox.close();
  }
}

const streams = new Map<number, Stream>();

function run({ stream: number, part, operation, args, open }: Request): { value: unknown; stream: Stream } {
  let stream = streams.get(number);
  if (!stream) {
    stream = new Stream();
    streams.set(number, stream);
  }
  if (open) stream.open(open);
  const target = stream[part] as unknown as Record<string, (...args: unknown[]) => unknown> | undefined;
  if (!target) throw new Error(`the ${part} is not open: call initializeWorker('init_${part}', …) first`);
  const value = operation === 'open' ? undefined : target[operation]?.(...args);
  return { value, stream };
}

function answer(request: Request): Reply {
  try {
    const { value, stream } = run(request);
    const reply: Reply = { id: request.id, value };
    if (request.part === 'session') reply.state = stream.session!.state();
    return reply;
  } catch (error) {
    const { name, message } = error as Error;
    const reply: Reply = { id: request.id, error: { name, message } };
    if (error instanceof Refused) Object.assign(reply.error!, { tag: error.tag, value: error.value });
    const session = streams.get(request.stream)?.session;
    if (session && request.part === 'session') reply.state = session.state();
    return reply;
  }
}

port.on('message', (message: ToWorker) => {
  if ('close' in message) {
    streams.get(message.close)?.close();
    streams.delete(message.close);
    return;
  }
  port.postMessage(answer(message) satisfies FromWorker);
});
port.postMessage({ ready: true } satisfies FromWorker);
