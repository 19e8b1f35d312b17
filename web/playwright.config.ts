import { defineConfig } from '@playwright/test';

/** The real service: one that runs already, or our own, started here. */
const running = process.env.SERVICE_URL;
const port = 3117;

export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

export default defineConfig({
  testDir: 'e2e',
  timeout: 300_000, // a busy machine without a GPU takes its time
  maxFailures: 5, // a service that answers nothing is known after these
  expect: { timeout: 60_000 },
  workers: 1,
  reporter: 'list',
  use: {
    actionTimeout: 60_000, // a button that is not there fails soon
    baseURL: running ?? `http://127.0.0.1:${port}`,
    launchOptions: CHROMIUM,
    screenshot: 'only-on-failure',
    serviceWorkers: 'block', // tests answer for the service here and there; a worker would hide that
  },
  projects: [
    {
      name: 'phone',
      grepInvert: /@desktop/,
      use: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
    },
    {
      name: 'desktop',
      grep: /@desktop|@every-screen/, // most of what is tested is the same on every screen
      use: { viewport: { width: 1280, height: 900 } },
    },
  ],
  ...(running
    ? {}
    : {
        webServer: {
          // its workers are sessions of their own: killed, it would leave them behind, holding its output and us with it
          command: `exec ${process.env.BENTOML ?? '../.venv/bin/bentoml'} serve service:Pillscope --working-dir .. --host 127.0.0.1 --port ${port} > node_modules/.service.log 2>&1`,
          gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
          url: `http://127.0.0.1:${port}/readyz`,
          timeout: 240_000,
          // the page is tested here, not the machine's speed: a slow one must not turn answers into failures
          env: { BENTOML_DO_NOT_TRACK: 'True', PILLSCOPE_DEADLINE_S: '120', PILLSCOPE_RUNNER_TIMEOUT_S: '60' },
        },
      }),
});
