// A thread of the pool with another binding of Opus in it: `SIDETONE_PEER` names it, `SIDETONE_PEERS` the folder where it is
// installed. Set up as the pool sets up its own: VOIP, 24 kbit/s, complexity 5.

'use strict';

const { createRequire } = require('node:module');
const { join } = require('node:path');
const { parentPort } = require('node:worker_threads');

const { SIDETONE_PEER: name, SIDETONE_PEERS: folder } = process.env;
// @evan/opus as WebAssembly: its native half ends the process where two threads use it.
process.env.OPUS_FORCE_WASM = '1';
const binding = createRequire(join(folder, 'package.json'))(name);

const peers = {
  '@discordjs/opus': ({ OpusEncoder }) => ({
    encoder({ sampleRate, channels }) {
      const encoder = new OpusEncoder(sampleRate, channels);
      encoder.applyEncoderCTL(4000, 2048); // OPUS_SET_APPLICATION, VOIP
      encoder.applyEncoderCTL(4010, 5); // OPUS_SET_COMPLEXITY
      encoder.setBitrate(24000);
      return (pcm) => encoder.encode(bytes(pcm));
    },
    decoder({ sampleRate, channels }) {
      const decoder = new OpusEncoder(sampleRate, channels);
      return (packet) => decoder.decode(bytes(packet));
    },
  }),
  '@evan/opus': ({ Encoder, Decoder }) => ({
    encoder({ sampleRate, channels }) {
      const encoder = new Encoder({ sample_rate: sampleRate, channels, application: 'voip' });
      Object.assign(encoder, { bitrate: 24000, complexity: 5 });
      return (pcm) => encoder.encode(pcm);
    },
    decoder({ sampleRate, channels }) {
      const decoder = new Decoder({ sample_rate: sampleRate, channels });
      return (packet) => decoder.decode(packet);
    },
  }),
};

const codec = peers[name](binding);
const streams = new Map();

parentPort.on('message', (message) => {
  if ('close' in message) return void streams.delete(message.close);
  const { id, stream, part, operation, args, open } = message;
  try {
    const parts = streams.get(stream) ?? {};
    streams.set(stream, parts);
    if (open) parts[part] = codec[part](open.part === 'encoder' ? open.config : open);
    const value = operation === 'open' ? undefined : parts[part](args[0]);
    // Copied into memory of its own: what the binding gives may be a view of something larger.
    const out = value && new Uint8Array(value);
    parentPort.postMessage({ id, value: part === 'decoder' && out ? { pcm: out } : out });
  } catch (error) {
    parentPort.postMessage({ id, error: { name: error.name, message: error.message } });
  }
});
parentPort.postMessage({ ready: true });

function bytes(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
