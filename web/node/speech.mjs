// What the tests speak: the clip of the repository, 24 kHz mono, or a chirp at any rate.

import { readFileSync } from 'node:fs';

const wav = readFileSync(new URL('../../crates/fleet/assets/speech.wav', import.meta.url));

/** Frames of 60 ms at 24 kHz. */
export function clip() {
  const data = wav.subarray(wav.indexOf('data') + 8);
  const bytes = 2880;
  return Array.from({ length: Math.floor(data.length / bytes) }, (_, n) => data.subarray(n * bytes, (n + 1) * bytes));
}

/** `frames` frames of 60 ms. */
export function chirp(rate, frames) {
  const at = (n) => 9000 * Math.sin((2 * Math.PI * (200 + (n / rate) * 90) * n) / rate);
  const length = (rate * 60) / 1000;
  return Array.from({ length: frames }, (_, frame) => Int16Array.from({ length }, (_, n) => at(frame * length + n)));
}

/** Patient: these tests may run beside others; those of deadlines set their own. */
export const patient = { operationTimeout: 20_000, initTimeout: 20_000 };
