// In the audio thread: hands the microphone's samples to the worker, ten milliseconds at a time.

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

const PIECE = 512;

class Capture extends AudioWorkletProcessor {
  #to: MessagePort | undefined;
  #piece = new Float32Array(PIECE);
  #filled = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#to = data as MessagePort;
    };
  }

  process([input]: Float32Array[][]): boolean {
    const samples = input?.[0];
    if (!samples || !this.#to) return true;
    for (const sample of samples) {
      this.#piece[this.#filled++] = sample;
      if (this.#filled === PIECE) {
        this.#to.postMessage(this.#piece, [this.#piece.buffer]);
        this.#piece = new Float32Array(PIECE);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('sidetone-capture', Capture);

export {};
