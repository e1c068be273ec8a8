// The same UI in Debian's Chromium, with the browser's own WebRTC, served by `dialer-server`.
import path from 'node:path';

import { chromium } from 'playwright-core';

import { BINARIES } from './desktop.js';
import { Page } from './page.js';
import { start, until } from './processes.js';
import { Simulator } from './simulator.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');

/** Opens the page, in practice mode unless `look.args` say otherwise; `env` is the sound server's. */
export async function openBrowser(env, look = {}) {
  const server = start(BINARIES.server, [
    'page',
    '--ui',
    path.join(ROOT, 'ui/dist'),
    ...(look.args ?? []),
  ]);
  let printed = '';
  server.child.stdout.on('data', (chunk) => (printed += chunk));
  const url = await until('dialer-server', () => /open: (\S+)/.exec(printed)?.[1]);
  const address = /practice Twilio: http:\/\/(\S+)/.exec(printed)?.[1] ?? '';
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    env: { ...process.env, ...env },
    // Playwright silences a headless browser; here its sound is what is tested.
    ignoreDefaultArgs: ['--mute-audio'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      // Loopback candidates, which only a practice Twilio on this computer needs.
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  });
  const context = await browser.newContext({
    viewport: look.viewport ?? { width: 400, height: 680 },
    colorScheme: look.light === false ? 'dark' : 'light',
    permissions: ['microphone'],
  });
  const tab = await context.newPage();
  const console_ = [];
  tab.on('console', (message) => console_.push(`${message.type()}: ${message.text()}`));
  tab.on('pageerror', (error) => console_.push(`uncaught: ${error.message}`));
  const outside = [];
  tab.on('request', (request) => {
    if (!/^(https?|wss?):\/\/(127\.0\.0\.1|localhost)[:/]|^(data|blob):/.test(request.url()))
      outside.push(request.url());
  });
  await tab.goto(url);
  const driver = {
    click: (css) => tab.click(css, { timeout: 10_000 }),
    type: (css, text) => tab.locator(css).pressSequentially(text),
    evaluate: (script, ...args) =>
      tab.evaluate(([body, values]) => new Function(body).apply(null, values), [script, args]),
    screenshot: () => tab.screenshot(),
    resize: (width, height) => tab.setViewportSize({ width, height }),
  };
  return {
    page: new Page(driver),
    tab,
    simulator: new Simulator(address),
    /** Addresses outside this computer that the page asked for. */
    outside,
    log: () => `${server.output()}\n${console_.join('\n')}`,
    async close() {
      await browser.close();
      await server.stop();
    },
  };
}
