// A Twilio on this computer for set-up: the simulator as a program of its own, and its account.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { BINARIES, freePort } from './desktop.js';
import { start, until } from './processes.js';
import { Simulator } from './simulator.js';

/** Starts the simulator; its account is what an agent would have at Twilio. */
export async function openTwilio() {
  const folder = await mkdtemp(path.join(tmpdir(), 'dialer-twilio-'));
  const file = path.join(folder, 'account.json');
  const address = `127.0.0.1:${await freePort()}`;
  const program = start(BINARIES.simulator, ['--listen', address, '--secrets-file', file]);
  const account = await until('the simulator', async () =>
    JSON.parse(await readFile(file, 'utf8')),
  );
  return {
    url: `http://${address}`,
    simulator: new Simulator(address),
    sid: account.account_sid,
    token: account.auth_token,
    async close() {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The account as an agent has it who used it for something else before. */
export async function furnish({ simulator }) {
  const [first, second] = (await simulator.state()).numbers.map((number) => number.phone_number);
  await simulator.setUpNumber(first, {
    friendly_name: 'Reception',
    routing: {
      voice_url: 'https://reception.example.com/voice?lang=en',
      voice_method: 'GET',
      voice_fallback_url: '',
      status_callback: 'https://reception.example.com/done',
    },
  });
  return { busy: first, free: second };
}

/** Numbers, apps and keys, byte for byte. */
export async function inventoryOf({ simulator }) {
  const { numbers, applications, keys } = await simulator.state();
  return JSON.stringify({ numbers, applications, keys }, null, 1);
}
