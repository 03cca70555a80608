// After a trap of the module a fresh instance goes on: with the key, above every nonce, behind every packet.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Closed, Decoder, Encoder, Failed, MOST_FAILURES, Opener, Sealer, Session, header, load, voice } from '@sidetone/media';
import { config } from '../session-config.mjs';
import { trapping } from '../trap.mjs';

const KEY = '000102030405060708090a0b0c0d0e0f';
const tone = Int16Array.from({ length: 960 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 440 * n) / 16000));

/** The counter blocks that a datagram uses. */
function blocks(datagram) {
  const first = BigInt(`0x${Buffer.from(datagram.subarray(0, 16)).toString('hex')}`);
  return Array.from({ length: Math.ceil((datagram.length - 16) / 16) }, (_, n) => first + BigInt(n));
}

test('sending goes on after each trap, one frame is lost, and no counter block is used twice', async () => {
  const { traps, instantiate } = trapping('stream.send');
  const media = await load(instantiate);
  const gateway = Session.open((await load()).sandbox(), KEY, config('gateway', 7));
  const sandbox = media.sandbox();
  const device = Session.open(sandbox, KEY, config('device', 7));
  const used = new Set();
  let [arrived, failed] = [0, 0];
  for (let frame = 0; frame < 60; frame++) {
    if (frame % 20 === 10) traps.next = 1;
    try {
      for (const datagram of device.send(tone, 0)) {
        for (const block of blocks(datagram)) {
          assert.ok(!used.has(block), `frame ${frame}: a block twice`);
          used.add(block);
        }
        assert.equal(gateway.receive(datagram).lost, 0, 'no gap on the wire');
        arrived += 1;
      }
    } catch (error) {
      assert.ok(error instanceof Failed && error.cause instanceof WebAssembly.RuntimeError, String(error));
      failed += 1;
    }
  }
  assert.deepEqual([arrived, failed, sandbox.restarts, traps.instances], [57, 3, 3, 4]);
});

test('receiving goes on after a trap: what was taken before is a replay still', async () => {
  const { traps, instantiate } = trapping('stream.receive');
  const gateway = Session.open((await load()).sandbox(), KEY, config('gateway', 7));
  const device = Session.open((await load(instantiate)).sandbox(), KEY, config('device', 7));
  const pcm = Int16Array.from({ length: 1440 }, (_, n) => 8000 * Math.sin((2 * Math.PI * 440 * n) / 24000));
  const datagrams = Array.from({ length: 10 }, (_, n) => gateway.send(pcm, n * 60)[0]);
  for (const datagram of datagrams.slice(0, 5)) device.receive(datagram);
  traps.next = 1;
  assert.throws(() => device.receive(datagrams[5]), Failed);
  for (const datagram of datagrams.slice(0, 5)) {
    assert.throws(() => device.receive(datagram), (error) => error.tag === 'replayed');
  }
  const after = device.receive(datagrams[6]);
  assert.deepEqual([after.kind, after.sequence, after.lost], ['audio', 7, 1]);
  assert.equal(after.position, BigInt((6 - after.concealed - after.recovered) * 1440));
  assert.equal(device.receive(datagrams[5]).kind, 'late');
});

test('a sealer and an opener go on alike', async () => {
  const { traps, instantiate } = trapping('er.');
  const sandbox = (await load(instantiate)).sandbox();
  const sealer = new Sealer(sandbox, KEY, 9, 'uplink');
  const opener = new Opener(sandbox, KEY, 9, 'uplink');
  const take = (datagram) => opener.accept(opener.open(datagram).header.sequence);
  const first = sealer.seal(0, Uint8Array.of(1));
  take(first);
  traps.next = 1;
  assert.throws(() => sealer.seal(0, Uint8Array.of(1)), Failed);
  const second = sealer.seal(0, Uint8Array.of(1));
  assert.equal(header(second).sequence, 2);
  assert.throws(() => opener.open(first), (error) => error.tag === 'replayed');
  assert.equal(take(second).gap, 0);
});

test('encoders and decoders begin anew', async () => {
  const { traps, instantiate } = trapping('coder.');
  const sandbox = (await load(instantiate)).sandbox();
  const encoder = Encoder.open(sandbox, voice(16000));
  const decoder = Decoder.open(sandbox, 24000);
  const first = encoder.encode(tone);
  assert.equal(decoder.decode(first).length, 1440);
  traps.next = 1;
  assert.throws(() => encoder.encode(tone), Failed);
  assert.deepEqual(encoder.encode(tone), first);
  assert.equal(decoder.decode(first).length, 1440);
});

test('one sandbox does not take another along', async () => {
  const { traps, instantiate } = trapping('stream.send');
  const media = await load(instantiate);
  const [one, other] = [1, 2].map((id) => Session.open(media.sandbox(), KEY, config('device', id)));
  other.send(tone, 0);
  traps.next = 1;
  assert.throws(() => one.send(tone, 0), Failed);
  assert.equal(header(other.send(tone, 60)[0]).sequence, 2);
});

test('a module that does nothing but fail is given up', async () => {
  const { traps, instantiate } = trapping('stream.send');
  const device = Session.open((await load(instantiate)).sandbox(), KEY, config('device', 7));
  for (let n = 0; n < MOST_FAILURES; n++) {
    traps.next = 1;
    assert.throws(() => device.send(tone, 0), Failed);
  }
  assert.throws(() => device.send(tone, 0), Closed);
});

test('a state can be taken to another session of the same key', async () => {
  const media = await load();
  const one = Session.open(media.sandbox(), KEY, config('device', 7));
  one.send(tone, 100);
  const other = Session.open(media.sandbox(), KEY, { ...config('device', 7), resume: one.state() });
  const { sequence, timestamp } = header(other.send(tone, 0)[0]);
  assert.deepEqual([sequence, timestamp], [2, 101]);
});
