// Makes the package of the built web/media: node build.mjs [FAULTY]
//
// One CommonJS file does the work, so that `require` and `import` share threads; lib/index.js names its exports for
// `import`. The modules of wasm are copied, byte for byte. With FAULTY, the folder of a transpiled component that fails
// on purpose, a worker on that one too, for the tests: lib-faulty.

import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const source = join(here, '../media');
const [faulty] = process.argv.slice(2);

await rm(join(here, 'lib'), { recursive: true, force: true });
const manifest = await stage('media', join(source, 'dist'));
await bundle('index', 'lib', 'media');
await bundle('worker', 'lib', 'media');
await cp(manifest, join(here, 'lib/manifest.json'));
await writeFile(join(here, 'lib/index.js'), await esm());
execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc')], { cwd: here, stdio: 'inherit' });

if (faulty !== undefined) {
  await stage('faulty', faulty);
  await rm(join(here, 'lib-faulty'), { recursive: true, force: true });
  await bundle('worker', 'lib-faulty', 'faulty');
}

/** The layer of web/media around a transpiled component. */
async function stage(folder, dist) {
  await rm(join(here, folder), { recursive: true, force: true });
  await cp(join(source, 'lib'), join(here, folder, 'lib'), { recursive: true });
  await cp(dist, join(here, folder, 'dist'), { recursive: true });
  return join(here, folder, 'dist/manifest.json');
}

async function bundle(name, out, media) {
  await mkdir(join(here, out), { recursive: true });
  await build({
    entryPoints: [join(here, 'src', `${name}.ts`)],
    outfile: join(here, out, `${name}.cjs`),
    bundle: true,
    platform: 'node',
    target: 'node18',
    format: 'cjs',
    charset: 'utf8',
    alias: { '#media': join(here, media, 'lib/index.js') },
    // `load` of web/media is not used: the modules are read from beside the worker.
    define: { 'import.meta.url': '"file:///"' },
    logLevel: 'warning',
  });
  const modules = (await readdir(join(here, media, 'dist'))).filter((file) => file.endsWith('.wasm'));
  for (const file of modules) await cp(join(here, media, 'dist', file), join(here, out, file));
}

async function esm() {
  const index = await readFile(join(here, 'src/index.ts'), 'utf8');
  const names = [...index.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(','));
  const values = names.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '));
  return `import all from './index.cjs';\nexport const { ${values.join(', ')} } = all;\n`;
}
