// Speech that needs no microphone: a clip from a file, or a tone that swells like syllables do.

export class Source {
  #samples: Float32Array;
  #at = 0;

  constructor(samples: Float32Array) {
    this.#samples = samples;
  }

  /** From the beginning. */
  rewind(): void {
    this.#at = 0;
  }

  /** Whether all of it was taken once. */
  get isOver(): boolean {
    return this.#at >= this.#samples.length;
  }

  /** The next samples; what follows the end is silence. */
  take(count: number): Float32Array {
    const taken = new Float32Array(count);
    taken.set(this.#samples.subarray(this.#at, this.#at + count));
    this.#at += count;
    return taken;
  }

  static tone(rate: number, seconds = 600): Source {
    // As long as anybody listens; made when it is taken.
    return new Tone(rate, seconds);
  }
}

class Tone extends Source {
  #place = 0;

  constructor(
    private readonly rate: number,
    private readonly seconds: number,
  ) {
    super(new Float32Array(0));
  }

  override rewind(): void {
    this.#place = 0;
  }

  override get isOver(): boolean {
    return this.#place >= this.seconds * this.rate;
  }

  override take(count: number): Float32Array {
    const taken = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const time = (this.#place + n) / this.rate;
      const swell = 0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * time);
      const pitch = 180 + 60 * Math.sin(2 * Math.PI * 0.7 * time);
      const voice = Math.sin(2 * Math.PI * pitch * time) + 0.5 * Math.sin(4 * Math.PI * pitch * time);
      taken[n] = 0.25 * swell * voice;
    }
    this.#place += count;
    return taken;
  }
}
