// The page that `cargo xtask bench web` measures in: our module, Chromium's own Opus, and @evan/opus.

import * as media from '/media/lib/index.js';
import { evan, pass, pieces, sidetone } from '/bench/codecs.mjs';

/** @evan/opus reads its module with Node's `fs`: it is given the bytes instead. */
async function evanOpus() {
  const base = '/bench/node_modules/@evan/opus/wasm/';
  const [text, wasm] = await Promise.all([
    fetch(`${base}index.js`).then((response) => response.text()),
    fetch(`${base}simd.wasm`).then((response) => response.arrayBuffer()),
  ]);
  const module = { exports: {} };
  const require = (name) => (name === 'fs' ? { readFileSync: () => wasm } : { join: (...parts) => parts.join('/') });
  new Function('module', 'require', '__dirname', text)(module, require, base);
  return module.exports;
}

/** Chromium's own works in a thread of its own: what counts is how long it takes until all of a pass is there. */
async function webCodecs(given, split) {
  const { act, rate, frame, complexity } = given;
  let made = 0;
  let failed;
  const ends = {
    output: (one) => {
      made += 1;
      one.close?.();
    },
    error: (error) => (failed = error),
  };
  const micros = (frame * 1e6) / rate;
  let codec, put;
  if (act === 'encode') {
    const opus = { application: 'voip', complexity, frameDuration: micros };
    const config = { codec: 'opus', sampleRate: rate, numberOfChannels: 1, bitrate: 24_000, opus };
    if (!(await AudioEncoder.isConfigSupported(config)).supported) return undefined;
    codec = new AudioEncoder(ends);
    codec.configure(config);
    put = (data, n) => codec.encode(new AudioData({ format: 's16', sampleRate: rate, numberOfFrames: frame, numberOfChannels: 1, timestamp: n * micros, data }));
  } else {
    const config = { codec: 'opus', sampleRate: rate, numberOfChannels: 1 };
    if (!(await AudioDecoder.isConfigSupported(config)).supported) return undefined;
    codec = new AudioDecoder(ends);
    codec.configure(config);
    put = (data, n) => codec.decode(new EncodedAudioChunk({ type: 'key', timestamp: n * micros, data }));
  }
  return async () => {
    made = 0;
    const begun = performance.now();
    split.forEach(put);
    await codec.flush();
    const taken = ((performance.now() - begun) * 1000) / split.length;
    if (failed) throw failed;
    if (made === 0) throw new Error('nothing was made');
    return taken;
  };
}

const codecs = { sidetone: sidetone(media, await media.load()), '@evan/opus': evan(await evanOpus()) };
let passes = {};

window.bench = {
  async prepare(given) {
    const split = pieces(given, await (await fetch(given.input)).arrayBuffer());
    passes = {};
    for (const [name, codec] of Object.entries(codecs)) passes[name] = await pass(codec, given, split);
    // Left out where this browser does not do that.
    const own = await webCodecs(given, split);
    if (own) passes.WebCodecs = own;
    return Object.keys(passes);
  },
  pass: (variant) => passes[variant](),
};
