// Gets the module's files: by `fetch` in pages and workers, from the file system in Node.

import { type Instantiate, type Media, compile } from './media.js';

// Written out, so that bundlers see each file.
const FILES: readonly (readonly [string, URL])[] = [
  ['sidetone.core.wasm', new URL('../dist/sidetone.core.wasm', import.meta.url)],
  ['sidetone.core2.wasm', new URL('../dist/sidetone.core2.wasm', import.meta.url)],
  ['sidetone.core3.wasm', new URL('../dist/sidetone.core3.wasm', import.meta.url)],
];

/** Loads the module that lies beside this file. */
export async function load(instance?: Instantiate): Promise<Media> {
  const files = await Promise.all(FILES.map(async ([name, url]) => [name, await get(url)] as const));
  return compile(new Map(files), 'sidetone.core.wasm', instance);
}

async function get(url: URL): Promise<BufferSource> {
  if (url.protocol === 'file:') {
    // Named so that bundlers for browsers do not look for it.
    const module = 'node:fs/promises';
    const { readFile } = (await import(/* @vite-ignore */ module)) as { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> };
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname} cannot be loaded: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
