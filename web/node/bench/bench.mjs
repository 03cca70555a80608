// This pool against other bindings of Opus in the very same pool, on the very same frames, in one run:
//
//   node bench/bench.mjs PEERS OUT.json [SECONDS]
//
// PEERS is a folder with bindings installed (`cargo xtask bench node` makes it). Variants take turns; each figure is the
// least mean of all turns.

import { createCipheriv, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StreamingCrypto, WorkerPoolManager } from '@sidetone/node';
import { config } from '../../media/session-config.mjs';
import { clip } from '../speech.mjs';
import { bars } from './bars.mjs';

const [peers, out, seconds = '20'] = process.argv.slice(2);
if (!peers || !out || !(Number(seconds) > 0)) {
  console.error('bench: usage: node bench/bench.mjs PEERS OUT.json [SECONDS]');
  process.exit(2);
}
const THREADS = 2;
const FLIGHT = 8;
/** Of a turn: so many that what the turn before left in the caches does not count. */
const OPERATIONS = 480;
const AES = 'aes-128-ctr';
const patient = { operationTimeout: 10_000, initTimeout: 10_000 };
const key = randomBytes(16);
const frames = clip();

/** A pool, with as many streams as are in flight at most. */
async function open(name, options) {
  const pool = new WorkerPoolManager(THREADS, { ...patient, ...options });
  for (let stream = 0; stream < FLIGHT; stream++) {
    await pool.initializeWorker('init_encoder', { sampleRate: 24000 }, `${stream}`);
    await pool.initializeWorker('init_decoder', { sampleRate: 16000 }, `${stream}`);
  }
  return { name, pool };
}

const variants = [await open('@sidetone/node', {})];
process.env.SIDETONE_PEERS = peers;
for (const name of ['@discordjs/opus', '@evan/opus']) {
  if (!existsSync(join(peers, 'node_modules', name))) {
    console.log(`${name} is not installed in ${peers}: left out`);
    continue;
  }
  variants.push(await open(name, { worker: peerScript(name) }));
}

/** One file a binding: threads are shared by script. */
function peerScript(name) {
  const file = join(peers, `${name.replace(/\W+/g, '-')}.cjs`);
  const peer = fileURLToPath(new URL('peer.cjs', import.meta.url));
  writeFileSync(file, `process.env.SIDETONE_PEER = ${JSON.stringify(name)};\nrequire(${JSON.stringify(peer)});\n`);
  return file;
}

// The same packets for all.
const packets = [];
for (const frame of frames) packets.push(await variants[0].pool.encodeOpus(frame, 1440, 'packets'));

const header = (length, sequence) => {
  const iv = Buffer.alloc(16);
  iv[0] = 1;
  iv.writeUInt16BE(length, 2);
  iv.writeUInt32BE(sequence, 8);
  iv.writeUInt32BE(sequence, 12);
  return iv;
};

/** Each case: what is done with frame `n` of stream `stream`. */
const cases = [
  ['enc24_60', ({ pool }, n, stream) => pool.encodeOpus(frames[n % frames.length], 1440, `${stream}`)],
  ['dec16_60', ({ pool }, n, stream) => pool.decodeOpus(packets[n % packets.length], `${stream}`)],
  [
    'enc24_60_sealed',
    async (variant, n, stream) => {
      const frame = frames[n % frames.length];
      if (variant.sessions) return variant.sessions[stream].send(frame, n * 60);
      const packet = await variant.pool.encodeOpus(frame, 1440, `${stream}`);
      const iv = header(packet.length, n);
      return Buffer.concat([iv, createCipheriv(AES, key, iv).update(packet)]);
    },
  ],
];
variants[0].sessions = await Promise.all(
  Array.from({ length: FLIGHT }, (_, stream) => variants[0].pool.openSession(key, session(stream))),
);

/** As the pool's encoders are set up. */
function session(id) {
  const settings = config('gateway', id);
  Object.assign(settings.outgoing, { bitrate: { tag: 'bits-per-second', val: 24000 }, signal: 'voice' });
  return { ...settings, quality: 'medium' };
}

/** µs an operation, and of CPU, all threads: one after the other, or FLIGHT streams with one in flight each. */
async function turn(run, variant, flight, operations) {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const stream = async (which) => {
    for (let n = 0; n < operations / flight; n++) await run(variant, n, which);
  };
  await Promise.all(Array.from({ length: flight }, (_, which) => stream(which)));
  const us = (performance.now() - started) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return [us, user + system].map((each) => each / operations);
}

const rows = [];
for (const [name, run] of cases) {
  for (const flight of [1, FLIGHT]) {
    const least = variants.map(() => [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    const until = performance.now() + (Number(seconds) * 1000) / (cases.length * 2);
    for (let round = 0; round < 3 || performance.now() < until; round++) {
      for (const [index, variant] of variants.entries()) {
        const took = await turn(run, variant, flight, OPERATIONS);
        least[index] = least[index].map((before, which) => Math.min(before, took[which]));
      }
    }
    const [reference] = least[1] ?? least[0];
    for (const [index, variant] of variants.entries()) {
      const [us, cpu] = least[index];
      rows.push({
        case: `${name}_${flight === 1 ? 'sequential' : `${flight}_in_flight`}`,
        variant: variant.name,
        us_min: round(us),
        ratio: round(us / reference, 3),
        cpu_us_min: round(cpu),
        ops_per_s: Math.round(1e6 / us),
      });
    }
  }
}

/** Sealing on the main thread, 200 bytes, µs. */
function sealing(seal) {
  const payload = randomBytes(200);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const started = performance.now();
    for (let n = 0; n < 1000; n++) seal(payload, header(200, n));
    least = Math.min(least, performance.now() - started);
  }
  return round(least, 2);
}
const crypto = new StreamingCrypto();
const figures = {
  encrypt_us: sealing((payload, iv) => crypto.encrypt(payload, AES, key, iv)),
  encrypt_node_crypto_us: sealing((payload, iv) => createCipheriv(AES, key, iv).update(payload)),
};

for (const { pool } of variants) await pool.terminate();
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
mkdirSync(dirname(out), { recursive: true });
write(out, `${JSON.stringify({ benchmark: 'node', machine, threads: THREADS, rows, figures }, null, 2)}\n`);
const plot = join(dirname(out), `${basename(out, extname(out))}.svg`);
write(plot, bars(`node: ${machine.cpu}, Node ${machine.node}`, rows));

console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ${THREADS} threads, complexity 5, 24 kbit/s`);
for (const row of rows) {
  const { variant, us_min: us, ratio, cpu_us_min: cpu, ops_per_s: ops } = row;
  const columns = [`${us.toFixed(0)} µs`, ratio.toFixed(2), `${cpu.toFixed(0)} µs CPU`, `${ops} ops/s`];
  console.log(row.case.padEnd(28), variant.padEnd(16), ...columns.map((column) => column.padStart(11)));
}
console.log(`encrypt 200 B: ${figures.encrypt_us} µs (node:crypto, a cipher each: ${figures.encrypt_node_crypto_us} µs)`);
console.log(`\nwritten: ${out}\nplot:    ${plot}`);

function write(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function round(value, digits = 1) {
  return Number(value.toFixed(digits));
}
