// Measures of sound.

/** Where the ear listens for words: below that of the codec's mirror images, above the hum. */
const RATE = 8000;

/** At another rate, straight lines between samples, what would alias smoothed away. */
function at(samples, rate, wanted, shift = 0) {
  const step = rate / wanted;
  const half = Math.max(step / 2, 0.5);
  const value = (place) => {
    const left = Math.floor(place);
    return (samples[left] ?? 0) * (left + 1 - place) + (samples[left + 1] ?? 0) * (place - left);
  };
  return Float64Array.from({ length: Math.floor(samples.length / step) }, (_, n) => {
    const middle = n * step + shift * step;
    return (value(middle - half / 2) + 2 * value(middle) + value(middle + half / 2)) / 4;
  });
}

function fit(a, b, lag) {
  let [ab, aa, bb] = [0, 0, 0];
  const to = Math.min(a.length, b.length - lag);
  for (let n = Math.max(0, -lag); n < to; n++) {
    ab += a[n] * b[n + lag];
    aa += a[n] * a[n];
    bb += b[n + lag] * b[n + lag];
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** The highest correlation of two sounds over all lags up to `seconds`, both ways, to a tenth of a sample. */
export function correlation(one, oneRate, other, otherRate, seconds = 1) {
  const [a, b] = [at(one, oneRate, RATE), at(other, otherRate, RATE)];
  const most = Math.min(Math.floor(seconds * RATE), Math.min(a.length, b.length) - RATE / 2);
  let [best, lag] = [-1, 0];
  for (let candidate = -most; candidate <= most; candidate++) {
    const value = fit(a, b, candidate);
    if (value > best) [best, lag] = [value, candidate];
  }
  for (let shift = -0.9; shift < 1; shift += 0.1) best = Math.max(best, fit(a, at(other, otherRate, RATE, shift), lag));
  return best;
}

export function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
