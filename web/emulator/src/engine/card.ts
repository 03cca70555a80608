// The sound card as the worker has it: two ports to worklets. It is given frames whenever it has little left; where
// there is none, or it stands still, time passes all the same.

import { toFloat32 } from '@sidetone/media';
import { Resampler } from '@sidetone/device';

/** Milliseconds of audio that wait at the card, at most. */
const LEAD = 100;

/** The most frames that are made up for at once where a clock was late. */
const MOST_BEHIND = 16;

interface Ends {
  /** A frame for the card, that is heard in `ahead` ms; `undefined`: nothing is being played. */
  frame(ahead: number): Int16Array | undefined;
  /** What the microphone heard, at the rate of the uplink. */
  heard(samples: Float32Array): void;
}

export class Card {
  /** Times that the card found nothing to play. */
  starved = 0;
  /** Times that the card stood still for long, whatever it was given: since it was opened. */
  stalls = 0;
  #rate = 0;
  #rates = { uplink: 16_000, downlink: 24_000, frameDuration: 60 };
  #playout: MessagePort | undefined;
  #running = false;
  #fromCard: Resampler | undefined;
  #toCard: Resampler | undefined;
  #pushed = 0;
  #begins = false;
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly ends: Ends) {}

  /** Ports to the worklets; an earlier one of the same kind is replaced. */
  attach(rate: number, capture: MessagePort | undefined, playout: MessagePort | undefined): void {
    this.#rate = rate;
    this.#resample();
    if (capture) capture.onmessage = ({ data }) => this.ends.heard(this.#fromCard?.process(data as Float32Array) ?? (data as Float32Array));
    if (playout) {
      this.#playout = playout;
      this.#pushed = 0;
      playout.onmessage = ({ data }) => {
        const { consumed, starved, stalls } = data as { consumed: number; starved: number; stalls: number };
        this.starved += starved;
        this.stalls += stalls;
        this.#feed(this.#pushed - consumed);
      };
    }
  }

  /** Browsers let it stand still: before the first click, or while the telephone rings. */
  run(running: boolean): void {
    this.#running = running;
    if (!running) this.#keepTime();
  }

  /** What a session agreed on. */
  use(uplink: number, downlink: number, frameDuration: number): void {
    this.#rates = { uplink, downlink, frameDuration };
    this.starved = 0;
    this.#resample();
  }

  /** Speech of ours begins: nothing of the one before is mixed into it. */
  forget(): void {
    this.#fromCard?.reset();
  }

  /** Speech to be played begins. */
  begin(): void {
    this.#begins = true;
    if (!this.#isHeard) this.#keepTime();
  }

  get #isHeard(): boolean {
    return this.#playout !== undefined && this.#running;
  }

  /** Frames for the card, where it has little left. */
  #feed(waiting: number): void {
    if (!this.#isHeard) return;
    let samples = waiting;
    const lead = (this.#rate * LEAD) / 1000;
    while (samples < lead) {
      // Silence first: several frames taken at once would empty the buffer that evens out the network.
      const silence = this.#begins ? Math.floor(lead - (this.#rate * this.#rates.frameDuration) / 1000 - samples) : 0;
      if (silence > 0) {
        this.#push(new Float32Array(silence));
        samples += silence;
      }
      this.#begins = false;
      const frame = this.ends.frame((samples * 1000) / this.#rate);
      if (!frame) return this.#playout?.postMessage({ playing: false });
      const floats = toFloat32(frame);
      const forCard = this.#toCard ? this.#toCard.process(floats) : floats;
      samples += forCard.length;
      this.#push(forCard);
    }
  }

  #push(samples: Float32Array): void {
    this.#pushed += samples.length;
    this.#playout?.postMessage({ playing: true, samples }, [samples.buffer]);
  }

  /** Without a card frames are made by the clock: the session is recorded, and counted, as if it were heard. */
  #keepTime(): void {
    if (this.#clock) return;
    const { frameDuration } = this.#rates;
    let due = performance.now();
    this.#clock = setInterval(() => {
      const now = performance.now();
      due = Math.max(due, now - MOST_BEHIND * frameDuration);
      for (; due <= now; due += frameDuration) {
        if (!this.#isHeard && this.ends.frame(0)) continue;
        clearInterval(this.#clock);
        this.#clock = undefined;
        return;
      }
    }, frameDuration / 2);
  }

  #resample(): void {
    if (!this.#rate) return;
    this.#fromCard?.free();
    this.#toCard?.free();
    this.#fromCard = new Resampler(this.#rate, this.#rates.uplink);
    this.#toCard = new Resampler(this.#rates.downlink, this.#rate);
  }
}
