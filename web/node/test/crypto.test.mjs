// StreamingCrypto against Node's own AES, and its cache; PerformanceMonitor.

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PerformanceMonitor, StreamingCrypto } from '@sidetone/node';

const golden = JSON.parse(readFileSync(new URL('../../../tests/golden/datagrams.json', import.meta.url), 'utf8'));
const AES = 'aes-128-ctr';

function header(length, sequence) {
  const iv = Buffer.alloc(16);
  iv[0] = 1;
  iv.writeUInt16BE(length, 2);
  iv.writeUInt32BE(0xa1b2c3d4, 4);
  iv.writeUInt32BE(sequence * 60, 8);
  iv.writeUInt32BE(sequence, 12);
  return iv;
}

test('packets are those of the golden file, and of Node', () => {
  const crypto = new StreamingCrypto();
  const key = Buffer.from(golden.key, 'hex');
  for (const { payload, datagram } of [...golden.device, ...golden.gateway]) {
    const [plain, sealed] = [Buffer.from(payload, 'hex'), Buffer.from(datagram, 'hex')];
    const iv = sealed.subarray(0, 16);
    const ciphertext = crypto.encrypt(plain, AES, key, iv);
    assert.deepEqual(ciphertext, sealed.subarray(16));
    assert.deepEqual(ciphertext, createCipheriv(AES, key, iv).update(plain));
    assert.deepEqual(crypto.decrypt(ciphertext, AES, key, iv), plain);
    // The same IV again, which a cipher kept for it would throw at.
    assert.deepEqual(crypto.decrypt(ciphertext, AES, key, iv), plain);
  }
});

test('key schedules are kept, and the least recently used leaves', () => {
  const crypto = new StreamingCrypto(2);
  const seal = (key, sequence) => crypto.encrypt(Buffer.alloc(100), AES, Buffer.alloc(16, key), header(100, sequence));
  seal(1, 1); // miss
  seal(2, 1); // miss
  seal(1, 2); // hit
  seal(3, 1); // miss: 2 leaves
  seal(1, 3); // hit
  seal(2, 2); // miss: 3 leaves
  assert.deepEqual(crypto.getStats().encrypt, { hits: 2, misses: 4, evictions: 2 });
  assert.deepEqual(crypto.getStats().decrypt, { hits: 0, misses: 0, evictions: 0 });
  crypto.clearCache();
  assert.deepEqual(crypto.getStats().encrypt, { hits: 0, misses: 0, evictions: 0 });
});

test('bad values are refused in a sentence, and no key is in it', () => {
  const crypto = new StreamingCrypto();
  const [data, key, iv] = [Buffer.alloc(100), Buffer.alloc(16, 0x5e), header(100, 1)];
  const cases = [
    [[data, 'aes-256-ctr', key, iv], /^TypeError: the algorithm must be aes-128-ctr, not aes-256-ctr$/],
    [[data, AES, Buffer.alloc(15, 0x5e), iv], /^TypeError: a key must be a Buffer of 16 bytes$/],
    [[data, AES, '5e'.repeat(16), iv], /^TypeError: a key must be a Buffer of 16 bytes$/],
    [[data, AES, key, Buffer.alloc(12)], /^TypeError: an IV must be a Buffer of 16 bytes: the header of the packet$/],
    [[data, AES, key, Buffer.alloc(16)], /^RangeError: an IV must be a packet's header, which begins with 1, not 0$/],
    [[data, AES, key, header(99, 1)], /^RangeError: the header in the IV says 99 bytes, and there are 100$/],
    [[Buffer.alloc(0), AES, key, header(0, 1)], /^Refused: payload-size: 0$/],
    [[Buffer.alloc(1025), AES, key, header(1025, 1)], /^Refused: payload-size: 1025$/],
  ];
  for (const [args, message] of cases) assert.throws(() => crypto.encrypt(...args), message);
  assert.throws(() => new StreamingCrypto(0), /maxCacheSize must be a whole number from 1 to 65536, not 0/);
});

test('a monitor says when to do with less', () => {
  const monitor = new PerformanceMonitor();
  assert.equal(monitor.getStats().avgLatency, '0.00ms');
  assert.ok(monitor.recordProcessingTime(process.hrtime.bigint()) < 10_000);
  monitor.reset();
  for (const milliseconds of [8, 9, 10]) monitor.recordProcessingTime(milliseconds);
  assert.equal(monitor.getStats().avgLatency, '9.00ms');
  assert.equal(monitor.shouldDowngrade(), false);
  for (let n = 0; n < 200; n++) monitor.recordProcessingTime(10.5);
  assert.equal(monitor.getStats().maxLatency, '10.50ms', 'the last hundred count');
  assert.equal(monitor.shouldDowngrade(), true);
  assert.throws(() => monitor.recordProcessingTime(Number.NaN), /a processing time of NaN ms/);
  monitor.recordFrame();
  monitor.recordError();
  assert.deepEqual([monitor.getStats().framesProcessed, monitor.getStats().errors], [1, 1]);
  assert.ok(monitor.recordCpuUsage() >= 0 && monitor.recordMemoryUsage().rss > 1);
  monitor.stop();
});
