import { defineConfig } from 'vite';

// While it is being worked on (`npm run dev`), numbers come from a gateway on this machine, at its usual port.
const gateway = process.env['SIDETONE_HTTP'] ?? 'http://127.0.0.1:8080';

// Served at `/`; all addresses are relative all the same, for proxies that put it elsewhere.
export default defineConfig({
  base: './',
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: '127.0.0.1', fs: { allow: ['../..'] }, proxy: { '/api': gateway, '/readyz': gateway, '/metrics': gateway } },
});
