// What JavaScript gets wrong, refused before it reaches the module: there it would be silently converted.

/** 16-bit samples. A `Float32Array` would become silence, or noise. */
export function samples(pcm: unknown, channels = 1): Int16Array {
  if (pcm instanceof Float32Array || pcm instanceof Float64Array) {
    throw new TypeError(`PCM must be an Int16Array, not a ${pcm.constructor.name}: convert it with \`toInt16\``);
  }
  if (!(pcm instanceof Int16Array)) throw new TypeError(`PCM must be an Int16Array, not ${kind(pcm)}`);
  if (pcm.length % channels !== 0) {
    throw new RangeError(`${pcm.length} samples do not divide into ${channels} channels`);
  }
  return pcm;
}

/** Bytes: a `Uint8Array`, or what can be looked at as one. */
export function bytes(data: unknown, what: string, most: number): Uint8Array {
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(view instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array or an ArrayBuffer, not ${kind(data)}`);
  if (view.length > most) throw new RangeError(`${what} of ${view.length} bytes: at most ${most}`);
  return view;
}

/** A number that fits u32; anything else would wrap around. */
export function u32(number: unknown, what: string): number {
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
    throw new RangeError(`${what} must be a whole number from 0 to 4294967295, not ${kind(number)}`);
  }
  return number;
}

/** Milliseconds: what a clock says, rounded down, and held at its ends. */
export function millis(time: unknown): number {
  if (typeof time !== 'number' || Number.isNaN(time)) throw new TypeError(`a timestamp must be a number, not ${kind(time)}`);
  return Math.min(Math.max(Math.floor(time), 0), 0xffff_ffff);
}

/** 16 bytes, or 32 hexadecimal digits. The copy is the caller's to overwrite. The text at fault is not repeated. */
export function key(value: unknown): Uint8Array {
  if (typeof value === 'string') {
    if (!/^[0-9a-f]{32}$/i.test(value)) throw new TypeError('a key must be 32 hexadecimal digits');
    return Uint8Array.from(value.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  if (!(value instanceof Uint8Array) || value.length !== 16) throw new TypeError('a key must be a Uint8Array of 16 bytes');
  // Not `slice`: of a `Buffer` that is a view, and overwriting it would overwrite the caller's key.
  return Uint8Array.from(value);
}

/** Samples from -1 to 1 as 16-bit ones; what is louder is clipped. */
export function toInt16(samples: Float32Array): Int16Array {
  const pcm = new Int16Array(samples.length);
  for (let n = 0; n < samples.length; n++) {
    pcm[n] = Math.max(-32768, Math.min(32767, Math.round((samples[n] ?? 0) * 32768)));
  }
  return pcm;
}

/** 16-bit samples as ones from -1 to 1. */
export function toFloat32(pcm: Int16Array): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(pcm.length);
  for (let n = 0; n < pcm.length; n++) samples[n] = (pcm[n] ?? 0) / 32768;
  return samples;
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}
