// GNOME Keyring on a D-Bus of its own: the keychain of a desktop computer, with nothing in it.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { start, until } from './processes.js';

/**
 * Starts a bus and an unlocked keyring for the computer in `folder`.
 * @param {string} folder
 */
export async function startKeychain(folder) {
  const runtime = path.join(folder, 'run');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const env = {
    HOME: folder,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: path.join(folder, 'data'),
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    XDG_CACHE_HOME: path.join(folder, 'cache'),
  };
  await mkdir(env.XDG_DATA_HOME, { recursive: true });
  const socket = path.join(runtime, 'bus');
  const address = `unix:path=${socket}`;
  const bus = start('dbus-daemon', ['--session', '--nofork', `--address=${address}`], { env });
  Object.assign(env, { DBUS_SESSION_BUS_ADDRESS: address });
  const send = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/'];
  const names = async () => {
    const asked = start('dbus-send', [...send, 'org.freedesktop.DBus.ListNames'], { env });
    let told = '';
    asked.child.stdout.on('data', (chunk) => (told += chunk));
    await asked.exited;
    return told;
  };
  await until('the bus', async () => (await names()).includes('org.freedesktop.DBus'));
  const keyring = start(
    'gnome-keyring-daemon',
    ['--foreground', '--components=secrets', '--unlock'],
    {
      env,
      input: 'pipe',
    },
  );
  keyring.child.stdin.end('keyring');
  await until('the keyring', async () => (await names()).includes('org.freedesktop.secrets'));
  return {
    env,
    async stop() {
      await keyring.stop();
      await bus.stop();
    },
  };
}
