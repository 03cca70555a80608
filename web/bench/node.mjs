// The module and other codecs for JavaScript, in Node. What `cargo xtask bench peers` asks of it: see turns.mjs.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as media from '../media/lib/index.js';
import { discord, evan, libopusWasm, opusscript, pass, pieces, sidetone } from './codecs.mjs';
import { answer } from './turns.mjs';

const require = createRequire(import.meta.url);

const codecs = {
  sidetone: sidetone(media, await media.load()),
  '@evan/opus': evan(require('@evan/opus/wasm/index.js')),
  opusscript: opusscript(require('opusscript')),
  'libopus-wasm': libopusWasm(await import('libopus-wasm')),
};
try {
  codecs['@discordjs/opus'] = discord(require('@discordjs/opus'));
} catch (error) {
  console.error(`@discordjs/opus is left out, for it could be neither downloaded nor built here: ${error.message.split('\n')[0]}`);
}

await answer({
  async prepare(given) {
    const input = await readFile(given.input);
    const split = pieces(given, input.buffer.slice(input.byteOffset, input.byteOffset + input.byteLength));
    const passes = {};
    for (const [name, codec] of Object.entries(codecs)) passes[name] = await pass(codec, given, split);
    return passes;
  },
});
