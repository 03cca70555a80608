// The worker: module, device and engine, and messages to and from the page.

import init from '@sidetone/device';
import { load } from '@sidetone/media';
import { Engine } from './engine/engine.js';
import type { Command, Event } from './messages.js';

const tell = (event: Event, transfer: Transferable[] = []): void => {
  (self as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(event, transfer);
};

// A function of a module that traps: `(module (func (export "trap") unreachable))`.
const TRAP = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11];

/** Lets the page ask for a failure of the module, to see that the call goes on. */
function instantiate(module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance {
  const instance = new WebAssembly.Instance(module, imports);
  const encode = Object.keys(instance.exports).find((name) => /stream\.send$|encoder\.encode$/.test(name) && !/^cabi_post/.test(name));
  if (!encode) return instance;
  const exports: Record<string, WebAssembly.ExportValue> = { ...instance.exports };
  for (const name of Object.keys(exports).filter((name) => /stream\.send$|encoder\.encode$/.test(name) && !/^cabi_post/.test(name))) {
    const original = exports[name] as (...args: unknown[]) => unknown;
    exports[name] = ((...args: unknown[]) => {
      if (failNext) {
        failNext = false;
        const trap = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(TRAP))).exports['trap'] as () => void;
        trap();
      }
      return original(...args);
    }) as unknown as WebAssembly.ExportValue;
  }
  return { exports };
}

let failNext = false;
addEventListener('sidetone-fail-module', () => {
  failNext = true;
});

// Commands that come before the module is there wait for it.
const early: Command[] = [];
let engine: Engine | undefined;
addEventListener('message', ({ data }: MessageEvent<Command>) => {
  if (engine) engine.command(data);
  else early.push(data);
});

try {
  const [media] = await Promise.all([load(instantiate), init()]);
  engine = new Engine(media, tell);
  tell({ on: 'ready', sha256: media.sha256, libopus: media.libopusVersion().join('.') });
  for (const command of early.splice(0)) engine.command(command);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  tell({ on: 'notice', level: 'error', text: `The module cannot run here: ${why}` });
}
