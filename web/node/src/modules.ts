// The compiled modules that lie beside a worker's script. Compiled once a process: threads share the code.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a thread is started with. */
export interface Compiled {
  modules: Map<string, WebAssembly.Module>;
  /** Of the core module's bytes. */
  sha256: string;
}

const CORE = 'sidetone.core.wasm';
const compiled = new Map<string, Compiled>();

/** The modules beside `script`. */
export function modulesBeside(script: string): Compiled {
  const folder = dirname(script);
  let found = compiled.get(folder);
  if (!found) {
    found = { modules: new Map(), sha256: '' };
    for (const file of readdirSync(folder)) {
      if (!file.endsWith('.wasm')) continue;
      const bytes = readFileSync(join(folder, file));
      found.modules.set(file, new WebAssembly.Module(bytes));
      if (file === CORE) found.sha256 = createHash('sha256').update(bytes).digest('hex');
    }
    compiled.set(folder, found);
  }
  return found;
}
