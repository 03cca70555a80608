#!/usr/bin/env node
// The check that operators of Node gateways know: a hundred operations each way, through the pool, with their figures.
//
//   node check.cjs [OPERATIONS] [THREADS] [TIMEOUT, ms]

'use strict';

const { StreamingCrypto, WorkerPoolManager } = require('./lib/index.cjs');
const { randomBytes } = require('node:crypto');

const [operations = 100, threads = 2, operationTimeout = 50] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(operations) && operations > 0)) fail(`OPERATIONS must be a number above 0, not ${process.argv[2]}`);

/** 60 ms of a chirp, never twice the same: silence and repetition would be flattered. */
function frame(rate, index) {
  const pcm = Buffer.alloc((rate * 60 * 2) / 1000);
  for (let n = 0; n < pcm.length / 2; n++) {
    const t = index * 0.06 + n / rate;
    pcm.writeInt16LE(Math.round(9000 * Math.sin(2 * Math.PI * (200 * t + 40 * Math.sin(2 * Math.PI * 1.7 * t)))), 2 * n);
  }
  return pcm;
}

function summary(what, sizes, times, milliseconds) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  console.log(
    `${what}: ${times.length} operations, ${sizes[0]} B in, ${mean(sizes[1]).toFixed(0)} B out; ` +
      `average ${mean(times).toFixed(2)} ms, min ${Math.min(...times).toFixed(2)}, max ${Math.max(...times).toFixed(2)}; ` +
      `${((1000 * times.length) / milliseconds).toFixed(0)} ops/s`,
  );
}

async function timed(what, inputs, operation) {
  const [times, out] = [[], []];
  const begun = performance.now();
  for (const input of inputs) {
    const started = performance.now();
    out.push(await operation(input));
    times.push(performance.now() - started);
  }
  summary(what, [inputs[0].length, out.map(({ length }) => length)], times, performance.now() - begun);
  return out;
}

async function main() {
  const pool = new WorkerPoolManager(threads, { operationTimeout });
  await pool.initializeWorker('init_encoder', { sampleRate: 24000, channels: 1 });
  await pool.initializeWorker('init_decoder', { sampleRate: 16000, channels: 1 });
  const frames = Array.from({ length: operations }, (_, index) => frame(24000, index));
  const packets = await timed('encode 24 kHz 60 ms', frames, (pcm) => pool.encodeOpus(pcm, 1440));
  const heard = await timed('decode to 16 kHz', packets, (packet) => pool.decodeOpus(packet));
  if (heard.some(({ length }) => length !== 1920)) fail('a packet did not decode to 1920 bytes');

  const crypto = new StreamingCrypto();
  const key = randomBytes(16);
  const header = (length, sequence) => {
    const iv = Buffer.alloc(16);
    iv[0] = 1;
    iv.writeUInt16BE(length, 2);
    iv.writeUInt32BE(sequence * 60, 8);
    iv.writeUInt32BE(sequence, 12);
    return iv;
  };
  const sealed = await timed('encrypt', packets, (packet) => {
    return crypto.encrypt(packet, 'aes-128-ctr', key, header(packet.length, packets.indexOf(packet) + 1));
  });
  for (const [index, ciphertext] of sealed.entries()) {
    const plain = crypto.decrypt(ciphertext, 'aes-128-ctr', key, header(ciphertext.length, index + 1));
    if (!plain.equals(packets[index])) fail(`packet ${index + 1} did not come back from decryption`);
  }
  console.log('pool:', JSON.stringify(pool.getStats()));
  await pool.terminate();
  console.log('all operations came back as they should');
}

function fail(message) {
  console.error(`check: ${message}`);
  process.exit(1);
}

main().catch((error) => fail(error.message));
