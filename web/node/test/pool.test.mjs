// The calls of a Node gateway: what they give, and that a stream is one codec whatever is in flight.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, before, test } from 'node:test';
import { Busy, Closed, Refused, WorkerPoolManager } from '@sidetone/node';
import { Encoder, load, voice } from '../media/lib/index.js';
import { clip, patient } from '../speech.mjs';

const require = createRequire(import.meta.url);
const frames = clip();
let pool;
let reference;

before(async () => {
  pool = new WorkerPoolManager(2, patient);
  await pool.initializeWorker('init_encoder', { sampleRate: 24000, channels: 1 });
  await pool.initializeWorker('init_decoder', { sampleRate: 16000, channels: 1 });
  const encoder = Encoder.open((await load()).sandbox(), voice(24000));
  reference = frames.map((frame) => Buffer.from(encoder.encode(new Int16Array(new Uint8Array(frame).buffer))));
});
after(() => pool.terminate());

test('require and import give the same classes', () => {
  assert.equal(require('@sidetone/node').WorkerPoolManager, WorkerPoolManager);
});

test('the module is the one of web/media, byte for byte', () => {
  const sha256 = (file) => createHash('sha256').update(readFileSync(new URL(file, import.meta.url))).digest('hex');
  const { core } = require('@sidetone/node/manifest.json');
  assert.equal(sha256('../lib/sidetone.core.wasm'), core.sha256);
  assert.equal(sha256('../../media/dist/sidetone.core.wasm'), core.sha256);
});

test('one after the other or all at once: the packets are those of one encoder, in order', async () => {
  assert.ok(frames.length > 30);
  const sequential = [];
  for (const frame of frames) sequential.push(await pool.encodeOpus(frame, 1440, 'one'));
  assert.deepEqual(sequential, reference);
  const order = [];
  const at = (stream) =>
    frames.map(async (frame, n) => {
      const packet = await pool.encodeOpus(frame, 1440, stream);
      order.push(`${stream}${n}`);
      return packet;
    });
  const [two, three] = await Promise.all([Promise.all(at('two')), Promise.all(at('three'))]);
  assert.deepEqual(two, reference);
  assert.deepEqual(three, reference);
  const of = (stream) => order.filter((name) => name.startsWith(stream));
  for (const stream of ['two', 'three']) assert.deepEqual(of(stream), frames.map((_, n) => `${stream}${n}`));
  for (const stream of ['one', 'two', 'three']) pool.closeStream(stream);
});

test('packets decode to the PCM that was asked for', async () => {
  for (const packet of reference) {
    const pcm = await pool.decodeOpus(packet);
    assert.ok(Buffer.isBuffer(pcm));
    assert.equal(pcm.length, 1920);
  }
  assert.equal((await pool.concealOpus()).length, 1920);
});

test('the last, partial frame is filled up and kept', async () => {
  const packet = await pool.encodeOpus(frames[0].subarray(0, 1000), 1440);
  assert.equal((await pool.decodeOpus(packet)).length, 1920);
});

test('text is swallowed and counted; garbage is concealed and counted', async () => {
  const before = pool.getStats();
  for (const text of ['ping:7f', 'keepalive', 'goodbye {}']) {
    assert.equal((await pool.decodeOpus(Buffer.from(text), 'noise')).length, 0, text);
  }
  await pool.decodeOpus(reference[3], 'noise');
  // Code 3 with a count of 0 frames: no Opus.
  const pcm = await pool.decodeOpus(Buffer.from([0x5b, 0x00, 0xff]), 'noise');
  assert.equal(pcm.length, 1920);
  const after = pool.getStats();
  assert.deepEqual([after.text - before.text, after.undecodable - before.undecodable], [3, 1]);
  let seed = 7;
  const byte = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) >>> 24;
  for (let n = 0; n < 300; n++) {
    const { length } = await pool.decodeOpus(Buffer.from(Array.from({ length: 1 + (byte() % 200) }, byte)), 'noise');
    assert.ok(length <= 3840, `${length} bytes`);
  }
  assert.equal((await pool.decodeOpus(reference[4], 'noise')).length, 1920);
  pool.closeStream('noise');
});

test('bad values are refused in a sentence', async () => {
  const cases = [
    [() => pool.encodeOpus('text', 1440), /^TypeError: PCM must be a Buffer of little-endian/],
    [() => pool.encodeOpus(new Float32Array(1440), 1440), /^TypeError: PCM must be a Buffer/],
    [() => pool.encodeOpus(Buffer.alloc(0), 1440), /^RangeError: PCM of no samples/],
    [() => pool.encodeOpus(Buffer.alloc(3), 1440), /^RangeError: PCM of 3 bytes is no number of 16-bit samples/],
    [() => pool.encodeOpus(Buffer.alloc(2882), 1440), /^RangeError: PCM of 1441 samples is more than the frame of 1440/],
    [() => pool.encodeOpus(Buffer.alloc(2880), 9999), /^RangeError: a frame of 9999 samples: it must be 1 to 5760/],
    [() => pool.encodeOpus(Buffer.alloc(20), 10), /^Refused: frame-length: 10/],
    [() => pool.decodeOpus(Buffer.alloc(0)), /^RangeError: a packet of no bytes/],
    [() => pool.initializeWorker('init', {}), /^TypeError: initializeWorker takes init_encoder or init_decoder, not init/],
    [() => new WorkerPoolManager(0), /^RangeError: workerCount must be a whole number from 1 to 64, not 0/],
  ];
  for (const [call, message] of cases) await assert.rejects(async () => call(), message);
  const other = new WorkerPoolManager(1, patient);
  await assert.rejects(other.encodeOpus(frames[0], 1440), /no encoder is set up: call initializeWorker\('init_encoder'/);
  await assert.rejects(other.initializeWorker('init_encoder', { sampleRate: 44100 }), (error) => {
    return error instanceof Refused && error.tag === 'sample-rate' && error.value === 44100;
  });
  await other.initializeWorker('init_encoder', { sampleRate: 24000 });
  assert.deepEqual(await other.encodeOpus(frames[0], 1440), reference[0]);
  await other.terminate();
  await assert.rejects(other.encodeOpus(frames[0], 1440), Closed);
});

test('a flood is refused above the bound, and what was taken comes out in order', async () => {
  const narrow = new WorkerPoolManager(1, { ...patient, queue: 8 });
  await narrow.initializeWorker('init_encoder', { sampleRate: 24000 });
  const settled = await Promise.allSettled(Array.from({ length: 500 }, (_, n) => narrow.encodeOpus(frames[n % 8], 1440)));
  const taken = settled.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
  assert.deepEqual(taken, reference.slice(0, 8));
  assert.ok(settled.slice(8).every(({ reason }) => reason instanceof Busy));
  assert.equal(narrow.getStats().pendingRequests, 0);
  const few = new WorkerPoolManager(1, { ...patient, streams: 2 });
  await few.initializeWorker('init_encoder', { sampleRate: 24000 });
  await few.encodeOpus(frames[0], 1440, 'second');
  await assert.rejects(few.encodeOpus(frames[0], 1440, 'third'), Busy);
  await Promise.all([narrow.terminate(), few.terminate()]);
});

test('pools share threads', async () => {
  const threads = new Set();
  const count = (worker) => threads.add(worker);
  process.on('worker', count);
  const pools = Array.from({ length: 20 }, () => new WorkerPoolManager(2, patient));
  for (const one of pools) await one.initializeWorker('init_encoder', { sampleRate: 24000 });
  const packets = await Promise.all(pools.map((one) => one.encodeOpus(frames[0], 1440)));
  for (const packet of packets) assert.deepEqual(packet, reference[0]);
  assert.equal(threads.size, 0, 'the two threads of the first pool do');
  await Promise.all(pools.map((one) => one.terminate()));
  process.off('worker', count);
  assert.equal((await pool.decodeOpus(reference[0])).length, 1920, 'they end with their last pool');
});

test('figures have the shape that gateways print', () => {
  const stats = pool.getStats();
  assert.equal(stats.workers, 2);
  assert.equal(stats.activeWorkers, 2);
  assert.equal(stats.pendingRequests, 0);
  const { performance } = stats;
  assert.ok(performance.framesProcessed > 100);
  assert.match(performance.avgLatency, /^\d+\.\d\dms$/);
  assert.match(performance.avgCpuUsage, /^\d+\.\d\d%$/);
  assert.match(performance.currentMemory.heapUsed, /^\d+\.\d\dMB$/);
  assert.ok(pool.getDetailedStats().performance.rawData.latencySamples > 0);
});

test("the operators' check passes, and ends by itself", async () => {
  const file = fileURLToPath(new URL('../check.cjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, '20', '2', '20000'], { timeout: 60_000 });
  assert.match(stdout, /encode 24 kHz 60 ms: 20 operations, 2880 B in, \d+ B out; average .* ops\/s/);
  assert.match(stdout, /all operations came back as they should\n$/);
});
