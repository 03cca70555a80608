// The worker: module, device and engine, and messages to and from the page.

import init from '@sidetone/device';
import { load } from '@sidetone/media';
import { said } from './engine/datagrams.js';
import { Engine } from './engine/engine.js';
import { Fault } from './engine/fault.js';
import type { Command, Event } from './messages.js';

const tell = (event: Event, transfer: Transferable[] = []): void => {
  (self as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(event, transfer);
};

// Commands that come before the module is there wait for it.
const early: Command[] = [];
let engine: Engine | undefined;
addEventListener('message', ({ data }: MessageEvent<Command>) => {
  if (engine) engine.command(data);
  else early.push(data);
});

try {
  const fault = new Fault();
  const [media] = await Promise.all([load(fault.instantiate), init()]);
  engine = new Engine(media, () => fault.arm(), tell);
  tell({ on: 'ready', sha256: media.sha256, libopus: media.libopusVersion().join('.') });
  for (const command of early.splice(0)) engine.command(command);
} catch (error) {
  tell({ on: 'notice', level: 'error', text: `The module cannot run here: ${said(error)}` });
}
