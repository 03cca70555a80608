// The module, loaded: from it come sandboxes, and what says which module it is.

import { instantiate, type Root } from '../dist/sidetone.js';
import { bytes } from './guard.js';
import { Sandbox } from './sandbox.js';
import { Secret } from './secret.js';
import type { Candidate, PacketInfo } from './types.js';

/** What is known of the module without running it. */
export interface Manifest {
  component: { bytes: number; sha256: string };
  core: { file: string; bytes: number; sha256: string };
}

/** Makes instances of compiled modules; another one than `new WebAssembly.Instance` is for tests. */
export type Instantiate = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/** The compiled module. */
export class Media {
  #modules: ReadonlyMap<string, WebAssembly.Module>;
  #instantiate: Instantiate;
  #common: Sandbox;

  constructor(
    modules: ReadonlyMap<string, WebAssembly.Module>,
    /** Of the bytes that were compiled, not of those that should have been. */
    readonly sha256: string,
    instance: Instantiate = (module, imports) => new WebAssembly.Instance(module, imports),
  ) {
    this.#modules = modules;
    this.#instantiate = instance;
    this.#common = this.sandbox();
  }

  /** A sandbox of its own for what is opened in it. */
  sandbox(): Sandbox {
    return new Sandbox(() => this.#instance());
  }

  /** Reads an Opus packet without decoding it. */
  parse(packet: Uint8Array | ArrayBuffer): PacketInfo {
    const data = bytes(packet, 'a packet', 65_535);
    return this.#common.call(({ codec }) => codec.parse(data));
  }

  /** Opens one packet; no replay protection: for firmware's ways, and for looking into a packet. */
  open(key: Uint8Array | string, datagram: Uint8Array | ArrayBuffer): Candidate {
    const data = bytes(datagram, 'a datagram', 65_535);
    const secret = new Secret(key);
    try {
      return this.#common.call(({ packet }) => packet.open(secret.expose(), data));
    } finally {
      secret.forget();
    }
  }

  /** Zeroises the schedules that {@link open} keeps of a key. */
  forget(key: Uint8Array | string): void {
    const secret = new Secret(key);
    this.#common.call(({ packet }) => packet.forget(secret.expose()));
    secret.forget();
  }

  /** Major, minor, patch. */
  libopusVersion(): [number, number, number] {
    return this.#common.call(({ codec }) => codec.libopusVersion());
  }

  #instance(): Root {
    const module = (name: string): WebAssembly.Module => {
      const compiled = this.#modules.get(name);
      if (!compiled) throw new Error(`no module ${name}`);
      return compiled;
    };
    // With compiled modules and an instantiation that does not wait, the transpiled code does not wait either.
    const make = instantiate as unknown as (
      module: (name: string) => WebAssembly.Module,
      imports: object,
      instance: Instantiate,
    ) => Root;
    return make(module, {}, this.#instantiate);
  }
}

/** Compiles the module's files and tells the sha256 of the core module's bytes. */
export async function compile(
  files: ReadonlyMap<string, BufferSource>,
  core: string,
  instance?: Instantiate,
): Promise<Media> {
  const modules = new Map<string, WebAssembly.Module>();
  await Promise.all([...files].map(async ([name, data]) => modules.set(name, await WebAssembly.compile(data))));
  const bytes = files.get(core);
  if (!bytes) throw new Error(`no module ${core}`);
  return new Media(modules, await sha256(bytes), instance);
}

/** Empty where the page's origin is not secure: browsers hash nothing there. */
async function sha256(data: BufferSource): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return '';
  const digest = new Uint8Array(await subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
