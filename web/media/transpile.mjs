// Makes JavaScript of the component: node transpile.mjs COMPONENT [FOLDER]
//
// Writes an ES module for browsers, workers and Node to FOLDER (dist), with the component's core modules beside it,
// unchanged. Nothing is optimised or shimmed: the core module must stay, byte for byte, the one that the gateway runs,
// and this script fails where it does not.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

const [componentFile, folder = fileURLToPath(new URL('dist', import.meta.url))] = process.argv.slice(2);
if (componentFile === undefined) {
  fail('which component? usage: node transpile.mjs COMPONENT [FOLDER]');
}

const component = await readFile(componentFile).catch((error) => fail(`cannot read ${componentFile}: ${error.message}`));
const { files, imports } = await transpileBytes(component, {
  name: 'sidetone',
  // `instantiate()` is a function, so that a fresh instance can take the place of one that trapped.
  instantiation: 'async',
  wasiShim: false,
  // An error from the component arrives as an `Error` with the WIT value in `payload`.
  noComponentErrorWrapping: false,
}).catch((error) => fail(`${componentFile} cannot be transpiled: ${error.message ?? error}`));

if (imports.length > 0) {
  fail(`the component imports ${imports.join(', ')}; it must import nothing`);
}
const modules = Object.entries(files).filter(([name]) => name.endsWith('.wasm'));
for (const [name, bytes] of modules) {
  if (component.indexOf(bytes) < 0) {
    fail(`${name} is not, byte for byte, part of ${componentFile}: the transpiler changed it`);
  }
}
files['sidetone.js'] = withoutDebugging(files['sidetone.js']);
// Besides the module there may be tiny ones that wire up destructors.
const [coreName, core] = modules.reduce((largest, module) => (module[1].length > largest[1].length ? module : largest));

const manifest = {
  component: { bytes: component.length, sha256: sha256(component) },
  core: { file: coreName, bytes: core.length, sha256: sha256(core) },
};
files['manifest.json'] = `${JSON.stringify(manifest, null, 2)}\n`;
await replace(folder, files);
console.log(`transpiled to ${folder}: core module ${coreName}, ${core.length} bytes, sha256 ${manifest.core.sha256}`);

// The glue asks the environment for JCO_DEBUG some thirty times a call; in Node that takes longer than a frame takes to be
// decoded. It is asked once.
function withoutDebugging(code) {
  const text = typeof code === 'string' ? code : new TextDecoder().decode(code);
  const asked = 'if (!globalThis?.process?.env?.JCO_DEBUG) { return; }';
  const parts = text.split(asked);
  if (parts.length !== 2) {
    fail(`the transpiler asks for JCO_DEBUG in ${parts.length - 1} places instead of one: look at what it writes now`);
  }
  const begins = 'export function instantiate(';
  const once = `const debugs = Boolean(globalThis?.process?.env?.JCO_DEBUG);\n${begins}`;
  return parts.join('if (!debugs) { return; }').replace(begins, () => once);
}

// The whole folder appears at once, or not at all.
async function replace(folder, files) {
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const [name, contents] of Object.entries(files)) {
    const file = join(fresh, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function fail(message) {
  console.error(`transpile: ${message}`);
  process.exit(1);
}
