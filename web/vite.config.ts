import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const service = process.env.SERVICE_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  base: './', // the service may stand behind a path of its own
  build: { assetsInlineLimit: 0, target: 'es2022', modulePreload: { polyfill: false } }, // nothing inline: the CSP forbids it
  server: { proxy: { '/v1': service } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
