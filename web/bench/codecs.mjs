// The codecs that are compared, each as a maker of encoders and decoders: `encoder(case)` gives a function from a frame
// of samples to a packet, `decoder(case)` one from a packet to samples. VOIP, 24 kbit/s, mono; all else as each has it.
// For Node and for pages: what is loaded comes in as arguments.

const BITRATE = 24_000;
const COMPLEXITY = 4010;

/** @sidetone/media: the module that the gateway runs. */
export const sidetone = ({ Decoder, Encoder, voice }, media) => ({
  encoder({ rate, complexity }) {
    const encoder = Encoder.open(media.sandbox(), { ...voice(rate), complexity, signal: 'auto' });
    return (pcm) => encoder.encode(pcm);
  },
  decoder({ rate }) {
    const decoder = Decoder.open(media.sandbox(), rate);
    return (packet) => decoder.decode(packet);
  },
});

/** @evan/opus, as WebAssembly with SIMD. */
export const evan = ({ Decoder, Encoder }) => ({
  encoder({ rate, complexity }) {
    const encoder = new Encoder({ channels: 1, sample_rate: rate, application: 'voip' });
    encoder.ctl(4002, BITRATE);
    encoder.ctl(COMPLEXITY, complexity);
    return (pcm) => encoder.encode(pcm);
  },
  decoder({ rate }) {
    const decoder = new Decoder({ channels: 1, sample_rate: rate });
    return (packet) => decoder.decode(packet);
  },
});

/** libopus-wasm: libopus 1.6.1, without SIMD. */
export const libopusWasm = ({ createDecoder, createEncoder }) => ({
  async encoder({ rate, frame, complexity }) {
    const options = { channels: 1, sampleRate: rate, application: 2048, bitrate: BITRATE, complexity, frameSize: frame };
    const encoder = await createEncoder(options);
    return (pcm) => encoder.encode(pcm, { frameSize: frame });
  },
  async decoder({ rate, frame }) {
    const decoder = await createDecoder({ channels: 1, sampleRate: rate, maxFrameSize: frame });
    return (packet) => decoder.decode(packet);
  },
});

/** opusscript: WebAssembly of emscripten. Buffers in and out. */
export const opusscript = (OpusScript) => ({
  encoder({ rate, frame, complexity }) {
    const encoder = new OpusScript(rate, 1, OpusScript.Application.VOIP);
    encoder.setBitrate(BITRATE);
    encoder.encoderCTL(COMPLEXITY, complexity);
    return (pcm) => encoder.encode(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength), frame);
  },
  decoder({ rate }) {
    const decoder = new OpusScript(rate, 1, OpusScript.Application.VOIP);
    return (packet) => decoder.decode(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength));
  },
});

/** @discordjs/opus: native libopus behind N-API. */
export const discord = ({ OpusEncoder }) => {
  const bytes = (data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return {
    encoder({ rate, complexity }) {
      const encoder = new OpusEncoder(rate, 1);
      encoder.setBitrate(BITRATE);
      encoder.applyEncoderCTL(4000, 2048);
      encoder.applyEncoderCTL(COMPLEXITY, complexity);
      return (pcm) => encoder.encode(bytes(pcm));
    },
    decoder({ rate }) {
      const decoder = new OpusEncoder(rate, 1);
      return (packet) => decoder.decode(bytes(packet));
    },
  };
};

/** Makes a pass over the input of one codec: it returns µs a frame. */
export async function pass(codec, given, pieces) {
  const run = await (given.act === 'encode' ? codec.encoder(given) : codec.decoder(given));
  return () => {
    const begun = performance.now();
    let made = 0;
    for (const piece of pieces) made += run(piece).length;
    const micros = ((performance.now() - begun) * 1000) / pieces.length;
    if (made === 0) throw new Error('nothing was made');
    return micros;
  };
}

/** The input of a case: frames of 16-bit samples, or packets with their lengths (u16, little-endian) before them. */
export function pieces({ act, frame }, buffer) {
  const found = [];
  if (act === 'encode') {
    const samples = new Int16Array(buffer);
    for (let at = 0; at + frame <= samples.length; at += frame) found.push(samples.subarray(at, at + frame));
    return found;
  }
  const [bytes, view] = [new Uint8Array(buffer), new DataView(buffer)];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + view.getUint16(at, true);
    found.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return found;
}
