// Measures of sound.

/** The same at 8 kHz: enough to compare speech. */
function thin(samples, rate) {
  const step = rate / 8000;
  return Float64Array.from({ length: Math.floor(samples.length / step) }, (_, n) => {
    let sum = 0;
    for (let at = Math.floor(n * step); at < Math.floor((n + 1) * step); at++) sum += samples[at];
    return sum / step;
  });
}

/** The highest correlation of two sounds over all lags up to `seconds`, both ways. */
export function correlation(one, oneRate, other, otherRate, seconds = 1) {
  const [a, b] = [thin(one, oneRate), thin(other, otherRate)];
  const length = Math.min(a.length, b.length);
  const most = Math.min(Math.floor(seconds * 8000), length - 4000);
  let best = 0;
  for (let lag = -most; lag <= most; lag++) {
    let [ab, aa, bb] = [0, 0, 0];
    const from = Math.max(0, -lag);
    const to = Math.min(a.length, b.length - lag);
    for (let n = from; n < to; n++) {
      ab += a[n] * b[n + lag];
      aa += a[n] * a[n];
      bb += b[n + lag] * b[n + lag];
    }
    if (aa > 0 && bb > 0) best = Math.max(best, ab / Math.sqrt(aa * bb));
  }
  return best;
}

export function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
