// Samples that need no microphone: a clip, or a tone that swells like syllables do.

export abstract class Source {
  /** The next samples; what follows the end is silence. */
  abstract take(count: number): Float32Array;

  static clip(samples: Float32Array): Source {
    return new Clip(samples);
  }

  static tone(rate: number): Source {
    return new Tone(rate);
  }
}

class Clip extends Source {
  #at = 0;

  constructor(private readonly samples: Float32Array) {
    super();
  }

  override take(count: number): Float32Array {
    const taken = new Float32Array(count);
    taken.set(this.samples.subarray(this.#at, this.#at + count));
    this.#at += count;
    return taken;
  }
}

class Tone extends Source {
  #place = 0;

  constructor(private readonly rate: number) {
    super();
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
