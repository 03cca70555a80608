// The module in Node is the one in wasmtime, and does the same. `cargo xtask test` runs this after it has written the
// component, and the packets that the component made of the clip in wasmtime, to the folder SIDETONE_COMPONENT.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { instantiate } from '@sidetone/media/component';
import { config } from '../session-config.mjs';

const { SIDETONE_COMPONENT: folder, SIDETONE_CLIP: clip } = process.env;
const skip = folder && clip ? false : 'SIDETONE_COMPONENT and SIDETONE_CLIP are not set: run `cargo xtask test`';
const dist = new URL('../dist/', import.meta.url);

// Node's `fetch` reads no files.
const compile = async (name) => WebAssembly.compile(await readFile(new URL(name, dist)));
const { codec, session } = await instantiate(compile, {});

test('the core module is the one inside the component, byte for byte', { skip }, async () => {
  const manifest = JSON.parse(await readFile(new URL('manifest.json', dist), 'utf8'));
  const inComponent = await readFile(join(folder, 'sidetone.core.wasm'));
  const inNode = await readFile(new URL(manifest.core.file, dist));
  assert.equal(sha256(inNode), sha256(inComponent));
  assert.equal(manifest.core.sha256, sha256(inComponent));
  const { core, component } = JSON.parse(await readFile(join(folder, 'inspect.json'), 'utf8'));
  assert.deepEqual(manifest.core, { file: manifest.core.file, ...core }, 'what `sidetone inspect --json` says');
  assert.deepEqual(manifest.component, component);
  // Of the component model's own intrinsics, for handles of what it exports, it has need; of nothing else.
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(inNode));
  assert.deepEqual(imports.filter(({ module }) => !module.startsWith('[export]sidetone:media/')), []);
});

test('the core module is small enough for a page', async () => {
  const { core } = JSON.parse(await readFile(new URL('manifest.json', dist), 'utf8'));
  const bytes = gzipSync(await readFile(new URL(core.file, dist)), { level: 9 }).length;
  assert.ok(bytes < 260_000, `${bytes} bytes compressed`);
});

test('every packet of the clip is the one made in wasmtime', { skip }, async () => {
  const expected = bitstream(await readFile(join(folder, 'speech.bit')));
  const { rate, channels, samples } = wav(await readFile(clip));
  // What `cargo xtask test` asks of `sidetone transcode`.
  const encoder = codec.Encoder.open({
    sampleRate: rate,
    channels,
    application: 'voip',
    bitrate: { tag: 'bits-per-second', val: 24000 },
    complexity: 5,
    vbr: true,
    dtx: false,
    fec: false,
    expectedLoss: 0,
    maxBandwidth: 'full',
    signal: 'auto',
    split: 'auto',
  });
  const frame = (rate * channels * 60) / 1000;
  const whole = Math.floor(samples.length / frame);
  assert.ok(whole > 10, `a clip of ${whole} frames shows nothing`);
  assert.ok(expected.length >= whole, `${expected.length} packets in wasmtime for ${whole} frames`);
  for (let index = 0; index < whole; index++) {
    const packet = encoder.encode(samples.subarray(index * frame, (index + 1) * frame));
    assert.deepEqual(Buffer.from(packet), expected[index].packet, `packet ${index}`);
    assert.equal(encoder.finalRange(), expected[index].finalRange, `final range of packet ${index}`);
  }
});

test('speech goes sealed from a device to a gateway, once', () => {
  const key = { high: 0x0001020304050607n, low: 0x08090a0b0c0d0e0fn };
  const device = session.Stream.open(key, config('device', 0xa1b2c3d4));
  const gateway = session.Stream.open(key, config('gateway', 0xa1b2c3d4));
  const tone = Int16Array.from({ length: 960 * 5 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 440 * n) / 16000));

  const datagrams = device.send(tone, 0);
  assert.equal(datagrams.length, 5);
  for (const [index, datagram] of datagrams.entries()) {
    const { kind, sequence, samples } = gateway.receive(datagram);
    assert.deepEqual([kind, sequence, samples.length], ['audio', index + 1, 960]);
    if (index > 0) assert.ok(Math.max(...samples) > 4000, 'the tone is heard');
  }
  assert.throws(
    () => gateway.receive(datagrams[4]),
    (error) => error instanceof Error && error.payload.tag === 'replayed' && error.payload.val === 5,
  );
  assert.equal(gateway.stats().received, 5n);
});

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

// The packets of an `opus_demo` bitstream: length and final range, each u32 BE, before each.
function bitstream(bytes) {
  const packets = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    packets.push({ finalRange: bytes.readUInt32BE(at + 4), packet: bytes.subarray(at + 8, end) });
    at = end;
  }
  return packets;
}

// 16-bit PCM.
function wav(bytes) {
  const sound = {};
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)];
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (id === 'fmt ') Object.assign(sound, { channels: body.readUInt16LE(2), rate: body.readUInt32LE(4) });
    if (id === 'data') sound.samples = Int16Array.from({ length: size >> 1 }, (_, n) => body.readInt16LE(2 * n));
    at += 8 + size + (size & 1);
  }
  return sound;
}
