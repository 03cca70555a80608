// Packets sealed by the component in wasmtime, from a file of the repository: the module in Node seals the same and
// opens them, and so do Node's own AES and a device that speaks the protocol.

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { instantiate } from '@sidetone/media/component';
import { config } from '../session-config.mjs';

const dist = new URL('../dist/', import.meta.url);
const compile = async (name) => WebAssembly.compile(await readFile(new URL(name, dist)));
const { packet, session } = await instantiate(compile, {});

const golden = JSON.parse(await readFile(new URL('../../../tests/golden/datagrams.json', import.meta.url), 'utf8'));
const keyBytes = Buffer.from(golden.key, 'hex');
const key = { high: keyBytes.readBigUInt64BE(0), low: keyBytes.readBigUInt64BE(8) };
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (list) => Buffer.from(list).toString('hex');

for (const [role, other] of [['device', 'gateway'], ['gateway', 'device']]) {
  test(`a ${role} here seals what one in wasmtime seals`, () => {
    const stream = session.Stream.open(key, config(role, golden.connectionId));
    assert.ok(golden[role].length > 0);
    for (const { timestamp, payload, datagram } of golden[role]) {
      assert.equal(hex(stream.sendPayload(bytes(payload), timestamp)), datagram);
    }
    assert.equal(stream.stats().sent, BigInt(golden[role].length));
  });

  test(`a ${other} here opens what a ${role} in wasmtime sealed`, () => {
    const stream = session.Stream.open(key, config(other, golden.connectionId));
    golden[role].forEach(({ datagram }, index) => {
      const { kind, sequence, lost, samples } = stream.receive(bytes(datagram));
      assert.deepEqual([kind, sequence, lost], ['audio', index + 1, 0]);
      assert.ok(samples instanceof Int16Array && samples.length === (other === 'gateway' ? 960 : 1440));
    });
  });
}

test('without a session, too: header for header, as Node itself encrypts', () => {
  for (const { payload, datagram } of [...golden.device, ...golden.gateway]) {
    const sealed = Buffer.from(datagram, 'hex');
    const header = {
      flags: sealed[1],
      payloadLen: sealed.readUInt16BE(2),
      connectionId: sealed.readUInt32BE(4),
      timestamp: sealed.readUInt32BE(8),
      sequence: sealed.readUInt32BE(12),
    };
    assert.equal(hex(packet.seal(key, header, bytes(payload))), datagram);
    const opened = packet.open(key, bytes(datagram));
    assert.deepEqual(opened.header, header);
    assert.equal(hex(opened.payload), payload);

    const cipher = createCipheriv('aes-128-ctr', keyBytes, sealed.subarray(0, 16));
    assert.equal(hex(cipher.update(payload, 'hex')), hex(sealed.subarray(16)));
  }
});

test('what is refused is a value, and the session goes on', () => {
  const stream = session.Stream.open(key, config('gateway', golden.connectionId));
  const [first, second] = golden.device.map(({ datagram }) => bytes(datagram));
  stream.receive(second);
  const cases = [
    [new Uint8Array(0), 'truncated', 0],
    [new Uint8Array(65535).fill(1), 'length-mismatch', [257, 65519]],
    [second, 'replayed', 2],
    [bytes(golden.gateway[0].datagram), 'wrong-direction', 1],
  ];
  for (const [datagram, tag, val] of cases) {
    assert.throws(
      () => stream.receive(datagram),
      ({ payload }) => {
        assert.deepEqual(payload, { tag, val });
        return true;
      },
    );
  }
  assert.equal(stream.receive(first).kind, 'late');
  assert.throws(() => session.Stream.open(key, { ...config('device', golden.connectionId), quality: 'best' }), TypeError);
});
