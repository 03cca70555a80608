// The packet crypto of Node voice gateways, by the calls that they make, on the component's own AES-128-CTR. Key schedules are
// kept in the module, least recently used ones leave; ciphers are not kept: an IV is used once.

import { join } from 'node:path';
import { type Header, Media, type Sandbox, header } from '#media';
import { modulesBeside } from './modules.js';

const ALGORITHM = 'aes-128-ctr';
const HEADER = 16;

let shared: Media | undefined;

function media(): Media {
  if (!shared) {
    const { modules, sha256 } = modulesBeside(join(__dirname, 'worker.cjs'));
    shared = new Media(modules, sha256);
  }
  return shared;
}

/** Hits, misses and evictions of the key schedules kept. */
export interface CryptoStats {
  encrypt: { hits: number; misses: number; evictions: number };
  decrypt: { hits: number; misses: number; evictions: number };
}

/** Seals and opens packets, on the caller's thread, in an instance of its own. */
export class StreamingCrypto {
  #sandbox: Sandbox;
  #capacity: number;
  #generation = -1;

  /** `maxCacheSize`: keys whose schedules are kept, for each of the two ways. */
  constructor(maxCacheSize = 20) {
    if (!Number.isInteger(maxCacheSize) || maxCacheSize < 1 || maxCacheSize > 65_536) {
      throw new RangeError(`maxCacheSize must be a whole number from 1 to 65536, not ${maxCacheSize}`);
    }
    this.#capacity = maxCacheSize;
    this.#sandbox = media().sandbox();
  }

  /** The ciphertext of a payload of 1 to 1024 bytes. `iv`: the packet's header of 16 bytes. */
  encrypt(data: Uint8Array, algorithm: string, key: Uint8Array, iv: Uint8Array): Buffer {
    const values = head(algorithm, iv, data);
    const datagram = this.#call(key, ({ packet }, secret) => packet.seal(secret, values, new Uint8Array(data)));
    return Buffer.from(datagram.buffer as ArrayBuffer, datagram.byteOffset + HEADER, data.length);
  }

  /** The payload of a ciphertext. `iv`: the packet's header of 16 bytes. */
  decrypt(data: Uint8Array, algorithm: string, key: Uint8Array, iv: Uint8Array): Buffer {
    head(algorithm, iv, data);
    const datagram = new Uint8Array(HEADER + data.length);
    datagram.set(iv);
    datagram.set(data, HEADER);
    const { payload } = this.#call(key, ({ packet }, secret) => packet.open(secret, datagram));
    return Buffer.from(payload.buffer as ArrayBuffer, payload.byteOffset, payload.length);
  }

  /** Zeroises all key schedules. */
  clearCache(): void {
    this.#sandbox.call(({ packet }) => packet.setCacheCapacity(this.#capacity));
  }

  getStats(): CryptoStats {
    const [encrypt, decrypt] = this.#sandbox.call(({ packet }) => packet.cache());
    const numbers = ({ hits, misses, evictions }: typeof encrypt) => ({
      hits: Number(hits),
      misses: Number(misses),
      evictions: Number(evictions),
    });
    return { encrypt: numbers(encrypt), decrypt: numbers(decrypt) };
  }

  #call<T>(key: Uint8Array, run: (exports: Exports, secret: { high: bigint; low: bigint }) => T): T {
    if (!(key instanceof Uint8Array) || key.length !== 16) throw new TypeError('a key must be a Buffer of 16 bytes');
    const view = new DataView(key.buffer, key.byteOffset, 16);
    return this.#sandbox.call((exports) => {
      if (this.#generation !== this.#sandbox.generation) {
        exports.packet.setCacheCapacity(this.#capacity);
        this.#generation = this.#sandbox.generation;
      }
      return run(exports, { high: view.getBigUint64(0), low: view.getBigUint64(8) });
    });
  }
}

type Exports = Parameters<Parameters<Sandbox['call']>[0]>[0];

/** The IV as the header that it is. One that is none would be a keystream that no device derives. */
function head(algorithm: string, iv: Uint8Array, data: Uint8Array): Header {
  if (algorithm !== ALGORITHM) throw new TypeError(`the algorithm must be ${ALGORITHM}, not ${algorithm}`);
  if (!(data instanceof Uint8Array)) throw new TypeError('data must be a Buffer');
  if (!(iv instanceof Uint8Array) || iv.length !== HEADER) {
    throw new TypeError('an IV must be a Buffer of 16 bytes: the header of the packet');
  }
  const values = header(iv);
  if (!values) throw new RangeError(`an IV must be a packet's header, which begins with 1, not ${iv[0]}`);
  if (values.payloadLen !== data.length) {
    throw new RangeError(`the header in the IV says ${values.payloadLen} bytes, and there are ${data.length}`);
  }
  return values;
}
