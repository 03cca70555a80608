// The module in Chromium, by itself: against the browser's own Opus, against native code, and the worklets without a
// sound card.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { launch, skip as noBrowser } from './support/browser.mjs';
import { serve } from './support/files.mjs';
import { correlation } from './support/sound.mjs';

const skip = noBrowser;
const native = process.env.SIDETONE_PACKETS;
const noNative = native ? false : 'SIDETONE_PACKETS is not set: run `cargo xtask web --test`';
let files, browser, page;
before(async () => {
  if (skip) return;
  files = await serve(new URL('../lab-dist/', import.meta.url));
  browser = await launch();
  page = await browser.newPage();
  await page.goto(files.address);
  await page.waitForFunction(() => window.lab !== undefined);
});
after(async () => {
  await browser?.close();
  await files?.close();
});

const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** What the native program makes of lines. */
async function natively(act, key, id, lines) {
  const program = spawn(native, [act, key, id.toString(16)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  program.stdout.on('data', (data) => (said += data));
  program.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = await once(program, 'close');
  assert.equal(code, 0);
  return said.trim().split('\n');
}

test('packets sealed in the page open in native code', { skip: skip || noNative }, async () => {
  const [key, id] = [randomBytes(16).toString('hex'), 0xa1b2c3d4];
  const sealed = await page.evaluate(([key, id]) => {
    const { media, Encoder, Sealer, voice } = window.lab;
    const sandbox = media.sandbox();
    const sealer = new Sealer(sandbox, key, id, 'uplink');
    const encoder = Encoder.open(sandbox, voice(16_000));
    return Array.from({ length: 20 }, (_, n) => {
      const pcm = Int16Array.from({ length: 960 }, (_, at) => 8000 * Math.sin((2 * Math.PI * 440 * (n * 960 + at)) / 16_000));
      const payload = encoder.encode(pcm);
      return [[...payload], [...sealer.seal(n * 60, payload)]];
    });
  }, [key, id]);
  const opened = await natively('open', key, id, sealed.map(([, datagram]) => hex(datagram)));
  assert.deepEqual(opened, sealed.map(([payload], n) => `${n + 1} ${n * 60} ${hex(payload)}`));
});

test('packets sealed in native code open in the page, each once', { skip: skip || noNative }, async () => {
  const [key, id] = [randomBytes(16).toString('hex'), 0x01020304];
  const payloads = Array.from({ length: 20 }, (_, n) => randomBytes(1 + n * 13).toString('hex'));
  const sealed = await natively('seal', key, id, payloads);
  const opened = await page.evaluate(([key, id, sealed]) => {
    const { media, Opener } = window.lab;
    const opener = new Opener(media.sandbox(), key, id, 'downlink');
    const bytes = (digits) => Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
    const take = (datagram) => {
      try {
        const { header, payload } = opener.open(bytes(datagram));
        opener.accept(header.sequence);
        return [header.sequence, header.timestamp, [...payload]];
      } catch (error) {
        return error.tag;
      }
    };
    return [...sealed, sealed[3]].map(take);
  }, [key, id, sealed]);
  assert.equal(opened.pop(), 'replayed');
  assert.deepEqual(opened.map(([sequence, , payload]) => [sequence, hex(payload)]), payloads.map((payload, n) => [n + 1, payload]));
});

test('Chromium’s own Opus decodes our packets', { skip }, async () => {
  const { ours, theirs } = await page.evaluate(async () => {
    const { media, Encoder, voice } = window.lab;
    const encoder = Encoder.open(media.sandbox(), { ...voice(48_000), bitrate: { tag: 'bits-per-second', val: 48_000 } });
    const ours = Int16Array.from({ length: 48_000 }, (_, n) => 12_000 * Math.sin((2 * Math.PI * (300 + n / 200) * n) / 48_000));
    const theirs = [];
    const problems = [];
    const decoder = new AudioDecoder({
      output: (data) => {
        const piece = new Float32Array(data.numberOfFrames);
        data.copyTo(piece, { planeIndex: 0, format: 'f32-planar' });
        theirs.push(...piece);
        data.close();
      },
      error: (error) => problems.push(String(error)),
    });
    decoder.configure({ codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 });
    for (let at = 0; at + 2880 <= ours.length; at += 2880) {
      const data = encoder.encode(ours.subarray(at, at + 2880));
      decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: (at / 48) * 1000, data }));
    }
    await decoder.flush();
    if (problems.length > 0) throw new Error(problems.join());
    return { ours: [...ours], theirs };
  });
  const same = correlation(ours, 48_000, theirs, 48_000, 0.2);
  assert.ok(same > 0.9, `${same}, ${theirs.length} samples`);
});

test('we decode packets of Chromium’s own Opus', { skip }, async () => {
  const { theirs, ours } = await page.evaluate(async () => {
    const { media, Decoder } = window.lab;
    const theirs = Float32Array.from({ length: 48_000 }, (_, n) => 0.4 * Math.sin((2 * Math.PI * (300 + n / 200) * n) / 48_000));
    const packets = [];
    const problems = [];
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        packets.push(bytes);
      },
      error: (error) => problems.push(String(error)),
    });
    encoder.configure({ codec: 'opus', sampleRate: 48_000, numberOfChannels: 1, bitrate: 48_000 });
    encoder.encode(new AudioData({ format: 'f32', sampleRate: 48_000, numberOfFrames: 48_000, numberOfChannels: 1, timestamp: 0, data: theirs }));
    await encoder.flush();
    if (problems.length > 0) throw new Error(problems.join());
    const decoder = Decoder.open(media.sandbox(), 48_000);
    return { theirs: [...theirs], ours: packets.flatMap((packet) => [...decoder.decode(packet)]) };
  });
  const same = correlation(theirs, 48_000, ours, 48_000, 0.2);
  assert.ok(same > 0.95, `${same}, ${ours.length} samples`);
});

test('the capture worklet hands on every sample, in order', { skip }, async () => {
  const heard = await page.evaluate(async () => {
    const context = new OfflineAudioContext(1, 512 * 21, 48_000);
    await context.audioWorklet.addModule(window.lab.captureUrl);
    const node = new AudioWorkletNode(context, 'sidetone-capture', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    const { port1, port2 } = new MessageChannel();
    const pieces = [];
    port2.onmessage = ({ data }) => pieces.push(...data);
    const buffer = new AudioBuffer({ length: 512 * 20, sampleRate: 48_000 });
    buffer.getChannelData(0).forEach((_, n, samples) => (samples[n] = (n + 1) / 16_384));
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(node);
    source.start(512 / 48_000);
    // Rendering stands still until the port is there.
    const given = context.suspend(512 / 48_000).then(async () => {
      node.port.postMessage(port1, [port1]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await context.resume();
    });
    await Promise.all([context.startRendering(), given]);
    for (let patience = 0; pieces.length < 512 * 20 && patience < 200; patience++) await new Promise((resolve) => setTimeout(resolve, 20));
    return pieces;
  });
  assert.deepEqual(heard, Array.from({ length: 512 * 20 }, (_, n) => (n + 1) / 16_384));
});

test('the playout worklet plays what it is given, without a seam, and counts a gap once', { skip }, async () => {
  const { played, told } = await page.evaluate(async () => {
    const context = new OfflineAudioContext(1, 128 * 40, 48_000);
    await context.audioWorklet.addModule(window.lab.playoutUrl);
    const node = new AudioWorkletNode(context, 'sidetone-playout', { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    const told = [];
    port2.onmessage = ({ data }) => told.push(data);
    let next = 1;
    const give = (length) => {
      const samples = Float32Array.from({ length }, () => next++ / 16_384);
      port2.postMessage({ playing: true, samples }, [samples.buffer]);
    };
    // Rendering stands still there until what was sent has come: the worklet answers only while it renders.
    const at = async (block, act) => {
      await context.suspend((block * 128) / 48_000);
      act();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await context.resume();
    };
    const steps = [
      at(4, () => { give(300); give(200); give(12); }),
      // 512 samples are four blocks; then four blocks of nothing, in the middle of speech.
      at(12, () => { give(1000); give(24); }),
      at(20, () => port2.postMessage({ playing: false })),
    ];
    const [buffer] = await Promise.all([context.startRendering(), ...steps]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { played: [...buffer.getChannelData(0)], told };
  });
  const expected = new Array(128 * 40).fill(0);
  for (let n = 0; n < 512; n++) expected[4 * 128 + n] = (n + 1) / 16_384;
  for (let n = 0; n < 1024; n++) expected[12 * 128 + n] = (513 + n) / 16_384;
  assert.deepEqual(played, expected);
  assert.equal(told.reduce((sum, { starved }) => sum + starved, 0), 1);
  assert.equal(told.at(-1).consumed, 512 + 1024);
});
