// A web server for a folder, as any is: on this machine alone, at a port of the system's.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';

const TYPES = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', wasm: 'application/wasm', wav: 'audio/wav', json: 'application/json' };

/** Serves `folder`, a URL; `close()` ends it. `change(name, body)` may give another body. */
export async function serve(folder, change = (_, body) => body) {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    try {
      const body = change(name, await readFile(new URL(`.${name}`, folder)));
      response.setHeader('content-type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
