// The packet crypto by itself, one direction of one session each.

import type { Root } from '../dist/sidetone.js';
import { bytes, millis, u32 } from './guard.js';
import { Opened, Sealed } from './mirror.js';
import { Resource, type Sandbox } from './sandbox.js';
import { Secret } from './secret.js';
import type { Accepted, Candidate, Direction } from './types.js';

type InnerSealer = InstanceType<Root['packet']['Sealer']>;
type InnerOpener = InstanceType<Root['packet']['Opener']>;

const MOST_BYTES = 65_535;

/** Seals one direction of one session; no nonce twice, failures included. */
export class Sealer extends Resource<InnerSealer> {
  #secret: Secret;
  #sealed: Sealed;
  #direction: Direction;

  constructor(sandbox: Sandbox, key: Uint8Array | string, connectionId: number, direction: Direction) {
    super(sandbox);
    this.#sealed = new Sealed(u32(connectionId, 'a connection id'), direction === 'downlink');
    this.#secret = new Secret(key);
    this.#direction = direction;
  }

  protected override reopen({ packet }: Root): InnerSealer {
    const sealer = new packet.Sealer(this.#secret.expose(), this.#sealed.connectionId, this.#direction);
    sealer.restore(this.#sealed.state());
    return sealer;
  }

  /** Header and ciphertext of the session's next packet. `timestamp`: ms since the hello. */
  seal(timestamp: number, payload: Uint8Array | ArrayBuffer): Uint8Array {
    const [at, data] = [millis(timestamp), bytes(payload, 'a payload', MOST_BYTES)];
    return this.use((sealer) => {
      const datagram = sealer.seal(at, data);
      this.#sealed.leaves(datagram);
      return datagram;
    });
  }

  override close(): void {
    super.close();
    this.#secret.forget();
  }
}

/** Opens one direction of one session, in two steps: look, then accept or reject. */
export class Opener extends Resource<InnerOpener> {
  #secret: Secret;
  #connectionId: number;
  #direction: Direction;
  #opened = new Opened();

  constructor(sandbox: Sandbox, key: Uint8Array | string, connectionId: number, direction: Direction) {
    super(sandbox);
    this.#connectionId = u32(connectionId, 'a connection id');
    this.#secret = new Secret(key);
    this.#direction = direction;
  }

  protected override reopen({ packet }: Root): InnerOpener {
    const opener = new packet.Opener(this.#secret.expose(), this.#connectionId, this.#direction);
    opener.restore(this.#opened.state());
    return opener;
  }

  /** Checks and decrypts. The candidate waits for a judgement. */
  open(datagram: Uint8Array | ArrayBuffer): Candidate {
    const data = bytes(datagram, 'a datagram', MOST_BYTES);
    return this.use((opener) => opener.open(data));
  }

  /** The candidate of this sequence number is plausible. */
  accept(sequence: number): Accepted {
    const number = u32(sequence, 'a sequence number');
    return this.use((opener) => {
      const accepted = opener.accept(number);
      this.#opened.accepted(number);
      return accepted;
    });
  }

  /** It is not. */
  reject(): void {
    this.use((opener) => opener.reject());
  }

  override close(): void {
    super.close();
    this.#secret.forget();
  }
}
