// The two servers under measurement: how each is started, and where it answers what.

import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from './process.mjs';

const PATH = process.env.PATH;

/** Express with Twilio's own library. */
export async function express(root, folder, account) {
  const port = await freePort();
  return {
    key: 'express',
    name: 'Express + twilio',
    webhookPort: port,
    tokenPort: port,
    command: [process.execPath, 'server.js'],
    folder: join(root, 'tools/bench/express'),
    env: { PATH, NODE_ENV: 'production', PORT: String(port), ...account },
    log: join(folder, `express-${port}.log`),
  };
}

// One load tool stands for more calls and agents than the limits allow. What strangers may do stays limited.
const UNLIMITED = { WEBHOOKS_PER_SECOND: '1000000', TOKENS_PER_MINUTE: '100000000', MOST_CALLS: '100000000' };
// The account exists nowhere, so nobody is asked what became of its calls: nothing listens there.
const NOWHERE = { TWILIO_SIMULATOR: 'http://127.0.0.1:9' };

/** dialer-server as it runs in the cloud, with a call log in a file. */
export async function dialerServer(root, folder, account, profile) {
  const program = join(root, 'target', profile, 'dialer-server');
  if (!existsSync(program)) throw new Error(`${program} is missing`);
  const [webhookPort, tokenPort] = [await freePort(), await freePort()];
  const data = join(folder, `dialer-server-${webhookPort}`);
  mkdirSync(data, { recursive: true });
  const database = join(data, 'calls.sqlite');
  return {
    key: 'dialerServer',
    name: 'dialer-server',
    webhookPort,
    tokenPort,
    command: [program, '--listen', `127.0.0.1:${webhookPort}`, '--agent-listen', `127.0.0.1:${tokenPort}`],
    folder: data,
    env: { PATH, HOME: data, DATABASE_URL: `sqlite://${database}`, ...UNLIMITED, ...NOWHERE, ...account },
    log: join(data, 'dialer-server.log'),
    database,
    unlogged: () => eventsLost(tokenPort, account.AGENT_API_TOKEN),
  };
}

/** Events of calls that found no room on their way to the log, since the start. */
async function eventsLost(port, bearer) {
  const headers = { authorization: `Bearer ${bearer}` };
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  return Number(/^dialer_call_events_lost_total (\d+)$/m.exec(metrics)[1]);
}

const kept = (database) => `${database}.kept`;

/** Keeps the call log of `side`, if it has one, which must not run, for `emptyLog`. */
export function keepLog({ database }) {
  if (database) copyFileSync(database, kept(database));
}

/** Takes out of the call log of `side` what rounds have put in: each starts with as much as the others. */
export function emptyLog({ database }) {
  if (!database) return;
  // What SQLite keeps beside the file belongs to the old one.
  for (const beside of ['-wal', '-shm']) rmSync(database + beside, { force: true });
  copyFileSync(kept(database), database);
}
