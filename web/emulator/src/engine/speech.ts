// What is said, where no microphone says it: a clip or a tone, by the clock, as a microphone would.

import { Resampler } from '@sidetone/device';
import { Source } from './source.js';

/** How often samples are given, in ms. */
const SLICE = 20;

export interface Clip {
  rate: number;
  samples: Float32Array;
}

export class Speech {
  /** What a clip holds; without one a tone is said. */
  clip: Clip | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begins to say the clip or the tone, at `rate` Hz; all of it goes to `take`. */
  start(source: 'clip' | 'tone', rate: number, take: (samples: Float32Array) => void): void {
    this.stop();
    const said = source === 'tone' || !this.clip ? Source.tone(rate) : Source.clip(at(this.clip, rate));
    const begun = performance.now();
    let taken = 0;
    this.#timer = setInterval(() => {
      // By the clock, not by the count of calls: timers come late.
      const due = Math.floor(((performance.now() - begun) / 1000) * rate) - taken;
      taken += due;
      take(said.take(Math.min(due, rate)));
    }, SLICE);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function at(clip: Clip, rate: number): Float32Array {
  if (clip.rate === rate) return clip.samples;
  const resampler = new Resampler(clip.rate, rate);
  const samples = resampler.process(clip.samples);
  resampler.free();
  return samples;
}
