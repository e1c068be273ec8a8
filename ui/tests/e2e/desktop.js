// The real window: the built program under WebKitWebDriver, with a sound server of its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Page } from './page.js';
import { start, until } from './processes.js';
import { Simulator } from './simulator.js';
import { WebDriver } from './webdriver.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');

/** A port that was free a moment ago; the driver cannot choose one itself. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Opens the window in practice mode.
 * @param {Record<string, string>} env of the sound server, or empty for a computer without one
 * @param {{ light?: boolean }} [look]
 */
export async function openDesktop(env, look = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dialer-desktop-'));
  const addressFile = path.join(folder, 'simulator');
  const port = await freePort();
  const log = start('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    env: {
      TAURI_WEBVIEW_AUTOMATION: 'true',
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      ...(look.light === false ? { GTK_THEME: 'Adwaita:dark' } : {}),
      ...env,
    },
  });
  const driver = new WebDriver(`http://127.0.0.1:${port}`);
  await until('WebKitWebDriver', () => driver.call('GET', '/status'));
  const binary = process.env.DIALER_BINARY ?? path.join(ROOT, 'target/debug/kennex-dialer');
  await driver.open(binary, ['--practice', '--simulator-address-file', addressFile]);
  const address = await until(
    'the simulator',
    async () => (await readFile(addressFile, 'utf8')) || undefined,
  );
  return {
    page: new Page(driver),
    simulator: new Simulator(address),
    log: () => log.output(),
    async close() {
      await driver.close();
      await log.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
