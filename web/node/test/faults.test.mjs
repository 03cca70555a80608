// Threads that end, hang or trap, on a component that fails on purpose (crates/faulty): whoever waits is told, streams go on,
// others notice nothing. `cargo xtask test` builds it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Crashed, Failed, Timeout, WorkerPoolManager } from '@sidetone/node';
import { config } from '../../media/session-config.mjs';
import { chirp, clip, patient } from '../speech.mjs';

const worker = fileURLToPath(new URL('../lib-faulty/worker.cjs', import.meta.url));
const skip = existsSync(worker) ? false : 'lib-faulty is not built: run `cargo xtask test`';
const frames = clip();
const [TRAP, LOOP, SLOW, HANG_ON_OPEN] = [1, 2, 6, 13];
/** An encoder that fails in way `kind` at call `call`. */
const failing = (kind, call) => ({
  sampleRate: 24000,
  bitrate: { tag: 'bits-per-second', val: 0x1_0000 | (kind << 8) | call },
});

/** The workers started while `run` ran. */
async function workers(run) {
  const started = [];
  const note = (one) => started.push(one);
  process.on('worker', note);
  await run();
  process.off('worker', note);
  return started;
}

test('a worker killed in the middle of a stream: one frame fails, the stream goes on', async () => {
  let pool;
  const [first] = await workers(async () => {
    pool = new WorkerPoolManager(1, patient);
    await pool.initializeWorker('init_encoder', { sampleRate: 24000 });
  });
  const fresh = [];
  for (const frame of frames.slice(0, 5)) fresh.push(await pool.encodeOpus(frame, 1440));
  const inHand = Promise.allSettled(Array.from({ length: 100 }, () => pool.encodeOpus(frames[5], 1440)));
  const [second] = await workers(async () => {
    await first.terminate();
    const lost = (await inHand).filter(({ status }) => status === 'rejected');
    assert.ok(lost.length > 0);
    for (const { reason } of lost) assert.ok(reason instanceof Crashed && /a frame is lost$/.test(reason.message));
    // Set up again by itself: as from the start, since its codec went with the worker.
    for (const [n, frame] of frames.slice(0, 5).entries()) {
      assert.deepEqual(await pool.encodeOpus(frame, 1440), fresh[n]);
    }
  });
  assert.notEqual(second.threadId, first.threadId);
  assert.equal(pool.getStats().restarts, 1);
  await pool.terminate();
});

test('a worker killed in the middle of a session: no nonce twice, replays stay replays', async () => {
  let pool;
  let [device, gateway] = [];
  const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const all = await workers(async () => {
    pool = new WorkerPoolManager(2, patient);
    device = await pool.openSession(key, config('device', 7));
    gateway = await pool.openSession(key, config('gateway', 7));
  });
  assert.equal(all.length, 2);
  assert.notEqual(device.threadId, gateway.threadId);
  const used = new Set();
  const heard = [];
  let last;
  for (const [n, pcm] of chirp(16000, 30).entries()) {
    if (n === 10 || n === 20) {
      const { threadId: victim } = n === 10 ? device : gateway;
      await all.find(({ threadId }) => threadId === victim).terminate();
    }
    for (const datagram of await device.send(pcm, 0)) {
      const nonce = Buffer.from(datagram.subarray(8, 16)).toString('hex');
      assert.ok(!used.has(nonce), `${nonce} twice`);
      used.add(nonce);
      const { kind, sequence, samples } = await gateway.receive(datagram);
      heard.push([kind, sequence, samples.length]);
      last = datagram;
    }
  }
  assert.deepEqual(heard, Array.from({ length: 30 }, (_, n) => ['audio', n + 1, 960]));
  await assert.rejects(gateway.receive(last), ({ tag, value }) => tag === 'replayed' && value === 30);
  assert.deepEqual(await device.send(new Int16Array(100), 0), []);
  assert.equal((await device.flush(0)).length, 1, 'the last partial frame is kept');
  device.close();
  await assert.rejects(device.send(new Int16Array(960), 0), /the session is closed/);
  await pool.terminate();
});

test('an operation that hangs times out, its worker is ended, other threads notice nothing', { skip }, async () => {
  const pool = new WorkerPoolManager(2, { worker, operationTimeout: 400, initTimeout: 20_000 });
  await pool.initializeWorker('init_encoder', failing(LOOP, 3), 'bad');
  const good = new WorkerPoolManager(2, { ...patient, worker });
  await good.initializeWorker('init_encoder', { sampleRate: 24000 });
  for (let round = 0; round < 2; round++) {
    await pool.encodeOpus(frames[0], 1440, 'bad');
    await pool.encodeOpus(frames[1], 1440, 'bad');
    const hanging = pool.encodeOpus(frames[2], 1440, 'bad');
    const behind = pool.encodeOpus(frames[3], 1440, 'bad');
    for (const frame of frames.slice(0, 10)) await good.encodeOpus(frame, 1440);
    await assert.rejects(hanging, (error) => {
      return error instanceof Timeout && /^Worker request \d+ timeout after 400ms$/.test(error.message);
    });
    await assert.rejects(behind, (error) => error instanceof Timeout || error instanceof Crashed);
  }
  assert.equal(pool.getStats().restarts, 2);
  assert.equal(pool.getStats().pendingRequests, 0);
  await Promise.all([pool.terminate(), good.terminate()]);
});

test('the default deadlines: 50 ms for an operation, 500 ms to open', { skip }, async () => {
  // The thread is there already: starting it is not what is measured.
  const before = new WorkerPoolManager(1, { ...patient, worker });
  await before.initializeWorker('init_decoder', { sampleRate: 16000 });
  const pool = new WorkerPoolManager(1, { worker });
  assert.deepEqual([pool.operationTimeout, pool.initTimeout], [50, 500]);
  await assert.rejects(pool.initializeWorker('init_encoder', failing(HANG_ON_OPEN, 0)), (error) => {
    return error instanceof Timeout && error.milliseconds === 500;
  });
  await Promise.all([pool.terminate(), before.terminate()]);
});

test('a slow operation makes those behind it late, and ends nothing', { skip }, async () => {
  const pool = new WorkerPoolManager(1, { worker, operationTimeout: 2_000, initTimeout: 20_000, queue: 200 });
  await pool.initializeWorker('init_encoder', failing(SLOW, 250));
  const all = await Promise.allSettled(Array.from({ length: 60 }, () => pool.encodeOpus(frames[0], 1440)));
  const late = all.filter(({ reason }) => reason instanceof Timeout).length;
  const done = all.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(done > 0 && late > 0 && done + late === 60, `${done} done, ${late} late`);
  assert.equal(pool.getStats().restarts, 0);
  await pool.terminate();
});

test('a trap ends the instance of its stream, and nothing else', { skip }, async () => {
  const pool = new WorkerPoolManager(1, { ...patient, worker });
  await pool.initializeWorker('init_encoder', failing(TRAP, 3), 'bad');
  const good = new WorkerPoolManager(1, { ...patient, worker });
  await good.initializeWorker('init_encoder', { sampleRate: 24000 });
  await pool.initializeWorker('init_decoder', { sampleRate: 24000 }, 'bad');
  const first = await pool.encodeOpus(frames[0], 1440, 'bad');
  await pool.encodeOpus(frames[1], 1440, 'bad');
  await assert.rejects(pool.encodeOpus(frames[2], 1440, 'bad'), Failed);
  await good.encodeOpus(frames[0], 1440);
  assert.deepEqual(await pool.encodeOpus(frames[0], 1440, 'bad'), first);
  assert.equal((await pool.decodeOpus(first, 'bad')).length, 2880);
  assert.equal(pool.getStats().restarts, 0);
  await Promise.all([pool.terminate(), good.terminate()]);
});

test('a main thread that is held up takes no worker for hung', async () => {
  const pool = new WorkerPoolManager(1, { operationTimeout: 100, initTimeout: 20_000 });
  await pool.initializeWorker('init_decoder', { sampleRate: 16000 });
  const decoding = pool.decodeOpus(Buffer.from('ping'));
  const until = performance.now() + 400;
  while (performance.now() < until);
  assert.equal((await decoding).length, 0);
  assert.equal(pool.getStats().restarts, 0);
  await pool.terminate();
});
