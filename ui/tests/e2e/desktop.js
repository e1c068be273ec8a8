// The real window: the built program under WebKitWebDriver, with a sound server of its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Page } from './page.js';
import { start, until } from './processes.js';
import { Simulator } from './simulator.js';
import { WebDriver } from './webdriver.js';

const BUILT =
  process.env.DIALER_BINARIES ?? path.resolve(import.meta.dirname, '../../../target/debug');

/** The programs under test. */
export const BINARIES = {
  dialer: path.join(BUILT, 'kennex-dialer'),
  server: path.join(BUILT, 'dialer-server'),
  simulator: path.join(BUILT, 'dialer-simulator'),
};

/** A port that was free a moment ago; the driver cannot choose one itself. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Opens the window, whatever it then shows.
 * @param {Record<string, string>} env of the sound server, or empty for a computer without one
 * @param {string[]} args
 */
export async function openWindow(env, args) {
  const port = await freePort();
  const log = start('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    env: {
      TAURI_WEBVIEW_AUTOMATION: 'true',
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      ...env,
    },
  });
  const driver = new WebDriver(`http://127.0.0.1:${port}`);
  await until('WebKitWebDriver', () => driver.call('GET', '/status'));
  await driver.open(BINARIES.dialer, args);
  return {
    page: new Page(driver),
    log: () => log.output(),
    async close() {
      await driver.close();
      await log.stop();
    },
  };
}

/**
 * Opens the window and learns where its simulator listens.
 * @param {Record<string, string>} env
 * @param {string[]} [args]
 */
export async function openDesktop(env, args = ['--practice']) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dialer-desktop-'));
  const addressFile = path.join(folder, 'simulator');
  const window = await openWindow(env, [...args, '--simulator-address-file', addressFile]);
  const address = await until(
    'the simulator',
    async () => (await readFile(addressFile, 'utf8')) || undefined,
  );
  return {
    ...window,
    simulator: new Simulator(address),
    async close() {
      await window.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
