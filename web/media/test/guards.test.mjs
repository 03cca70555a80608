// What JavaScript gets wrong is refused with a sentence, before the module sees it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Closed, Decoder, Encoder, Opener, Refused, Sealer, Session, load, toFloat32, toInt16, voice } from '@sidetone/media';
import { config } from '../session-config.mjs';

const media = await load();
const KEY = '000102030405060708090a0b0c0d0e0f';
const open = (role) => Session.open(media.sandbox(), KEY, config(role, 7));

test('the hash is that of the bytes that run', async () => {
  const manifest = JSON.parse(await readFile(new URL('../dist/manifest.json', import.meta.url), 'utf8'));
  const core = await readFile(new URL(`../dist/${manifest.core.file}`, import.meta.url));
  assert.equal(media.sha256, createHash('sha256').update(core).digest('hex'));
  assert.equal(media.sha256, manifest.core.sha256);
  assert.deepEqual(media.libopusVersion().length, 3);
});

test('PCM that is not 16-bit is refused, not converted', () => {
  const device = open('device');
  const encoder = Encoder.open(media.sandbox(), voice(16000));
  for (const wrong of [new Float32Array(960), new Float64Array(960), new Uint8Array(1920), [0, 1], null, undefined, 'pcm']) {
    assert.throws(() => device.send(wrong, 0), TypeError);
    assert.throws(() => encoder.encode(wrong), TypeError);
  }
  assert.throws(() => device.send(new Float32Array(960), 0), /Float32Array.*toInt16/);
  assert.equal(device.send(toInt16(new Float32Array(960)), 0).length, 1);
  const stereo = config('device', 7);
  stereo.outgoing.channels = 2;
  const two = Session.open(media.sandbox(), KEY, stereo);
  assert.throws(() => two.send(new Int16Array(961), 0), /961 samples do not divide into 2 channels/);
});

test('lengths, keys, numbers and times that do not fit are refused', () => {
  const device = open('device');
  for (const wrong of [new Uint8Array(65_536), [1, 2], 'datagram', new Int16Array(8)]) {
    assert.throws(() => device.receive(wrong), (error) => error instanceof TypeError || error instanceof RangeError);
  }
  for (const wrong of ['00', 'x'.repeat(32), new Uint8Array(15), [1], undefined]) {
    assert.throws(() => Session.open(media.sandbox(), wrong, config('device', 7)), TypeError);
  }
  for (const wrong of [-1, 1.5, 2 ** 32, NaN, '7', undefined]) {
    assert.throws(() => Session.open(media.sandbox(), KEY, config('device', wrong)), RangeError);
    assert.throws(() => Decoder.open(media.sandbox(), wrong), (error) => error instanceof RangeError);
  }
  assert.throws(() => device.send(new Int16Array(960), NaN), TypeError);
  const encoder = Encoder.open(media.sandbox(), voice(16000));
  assert.throws(() => encoder.encode(new Int16Array(961)), (error) => error instanceof Refused && error.tag === 'frame-length');
  assert.throws(() => Encoder.open(media.sandbox(), voice(44100)), (error) => error.tag === 'sample-rate' && error.value === 44100);
});

test('a key at fault is not repeated in the error', () => {
  const secret = `${'ab'.repeat(15)}zz`;
  assert.throws(() => Session.open(media.sandbox(), secret, config('device', 7)), (error) => !error.message.includes('abab'));
});

test('time from a clock is taken as it is', () => {
  const [datagram] = open('device').send(new Int16Array(960), 1234.9);
  assert.equal(new DataView(datagram.buffer, datagram.byteOffset).getUint32(8), 1234);
});

test('what is closed says so, and can be closed again', () => {
  const device = open('device');
  device.close();
  device.close();
  assert.throws(() => device.send(new Int16Array(960), 0), (error) => error instanceof Closed);
  const encoder = Encoder.open(media.sandbox(), voice(16000));
  encoder[Symbol.dispose ?? Symbol.for('dispose')]();
  assert.throws(() => encoder.encode(new Int16Array(960)), Closed);
});

test('samples survive the way to floats and back', () => {
  const pcm = Int16Array.of(-32768, -1, 0, 1, 32767);
  assert.deepEqual(toInt16(toFloat32(pcm)), pcm);
  assert.deepEqual(toInt16(Float32Array.of(2, -2, NaN)), Int16Array.of(32767, -32768, 0));
});

test('packets alone: sealed, opened, judged', () => {
  const sandbox = media.sandbox();
  const sealer = new Sealer(sandbox, KEY, 9, 'downlink');
  const opener = new Opener(sandbox, KEY, 9, 'downlink');
  const sealed = [10, 10].map((time) => sealer.seal(time, Uint8Array.of(1, 2, 3)));
  const { header, payload } = opener.open(sealed[0]);
  assert.deepEqual([header.sequence, header.timestamp, [...payload]], [1, 10, [1, 2, 3]]);
  opener.reject();
  opener.open(sealed[0]);
  assert.equal(opener.accept(1).gap, 0);
  assert.throws(() => opener.open(sealed[0]), (error) => error.tag === 'replayed');
  assert.deepEqual([...media.open(KEY, sealed[1]).payload], [1, 2, 3]);
  media.forget(KEY);
});
