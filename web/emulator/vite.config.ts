import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// The page may lie at any path of any server: all addresses are relative.
export default defineConfig({
  base: './',
  resolve: { alias: { '@sidetone/device': fileURLToPath(new URL('../device/pkg/sidetone_device.js', import.meta.url)) } },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: '127.0.0.1', fs: { allow: ['../..'] } },
});
