// What was sent and what was played, to be saved. Bounded: the first ten minutes of each.

const SECONDS = 600;

export class Recorder {
  #pieces: Int16Array[] = [];
  #length = 0;
  /** There was more. */
  isCut = false;

  constructor(readonly rate: number) {}

  add(pcm: Int16Array): void {
    if (this.#length + pcm.length > this.rate * SECONDS) {
      this.isCut = true;
      return;
    }
    this.#pieces.push(pcm.slice());
    this.#length += pcm.length;
  }

  samples(): Int16Array {
    const all = new Int16Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}
