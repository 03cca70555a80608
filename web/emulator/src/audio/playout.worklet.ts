// In the audio thread: plays what the worker sends, tells how much was played, and counts when there was nothing, and
// when the thread itself was not let run: then what is missing is not the worker's fault.

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

/** How often it tells, in blocks of 128 samples: about every 10 ms. */
const BLOCKS = 4;

/** Pieces that wait at most; the worker sends no more than a tenth of a second ahead. */
const MOST = 64;

/** Milliseconds without a call after which the sound card, or this thread, is said to have stood still. */
const STALL = 50;

class Playout extends AudioWorkletProcessor {
  #worker: MessagePort | undefined;
  #waiting: Float32Array[] = [];
  #at = 0;
  #consumed = 0;
  #playing = false;
  #begun = false;
  #dry = false;
  #starved = 0;
  #stalls = 0;
  #called = 0;
  #block = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#worker = data as MessagePort;
      this.#worker.onmessage = ({ data }) => this.#take(data as { playing: boolean; samples?: Float32Array });
    };
  }

  #take({ playing, samples }: { playing: boolean; samples?: Float32Array }): void {
    this.#playing = playing;
    if (!playing) this.#begun = false;
    if (samples && this.#waiting.length < MOST) this.#waiting.push(samples);
    else if (samples) this.#consumed += samples.length;
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const channel = output?.[0];
    if (!channel) return true;
    const now = Date.now();
    if (this.#called > 0 && now - this.#called > STALL) this.#stalls += 1;
    this.#called = now;
    let filled = 0;
    while (filled < channel.length) {
      const piece = this.#waiting[0];
      if (!piece) break;
      const part = piece.subarray(this.#at, this.#at + channel.length - filled);
      channel.set(part, filled);
      filled += part.length;
      this.#at += part.length;
      if (this.#at === piece.length) {
        this.#waiting.shift();
        this.#at = 0;
      }
    }
    this.#consumed += filled;
    const dry = filled < channel.length;
    if (!dry) this.#begun = true;
    // A gap counts once, however long it is.
    if (dry && !this.#dry && this.#playing && this.#begun) this.#starved += 1;
    this.#dry = dry;
    for (const other of output?.slice(1) ?? []) other.set(channel);
    if (++this.#block % BLOCKS === 0) {
      this.#worker?.postMessage({ consumed: this.#consumed, starved: this.#starved, stalls: this.#stalls });
      this.#starved = 0;
      this.#stalls = 0;
    }
    return true;
  }
}

registerProcessor('sidetone-playout', Playout);

export {};
