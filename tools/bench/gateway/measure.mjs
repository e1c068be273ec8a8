// One round on one side.

import { setTimeout as sleep } from 'node:timers/promises';

import { Server, pinned } from './process.mjs';

const KINDS = ['twiml-get', 'twiml-post', 'twiml-forged', 'status', 'token'];
/** As long as an allocator or a garbage collector takes to come to rest. */
const REST_MS = 2_000;

/**
 * Starts `side` twice: once to time it, once to load it. `load` is the load tool (process.mjs),
 * `twilio` (twilio.mjs) asks single questions, `plan` says how long and how much. Times in milliseconds,
 * memory in MiB.
 */
export async function measure(side, load, twilio, plan) {
  const { startUpMs } = await load(side, side.webhookPort, 'start-up', '--', ...pinned(0, side.command));
  const server = await Server.start(side, () => twilio.isUp(side));
  try {
    // What a server loads for its first call belongs to it at rest.
    await twilio.begin(side);
    await sleep(plan.restMs ?? REST_MS);
    const atRest = server.memory();
    const closed = {};
    for (const kind of KINDS) {
      const port = kind === 'token' ? side.tokenPort : side.webhookPort;
      const before = server.cpuMs();
      const loaded = await load(
        side,
        port,
        'closed',
        '--kind',
        kind,
        '--warm-up',
        String(plan.warmUpS),
        '--seconds',
        String(plan.seconds),
      );
      closed[kind] = { ...loaded, cpuUs: ((server.cpuMs() - before) * 1000) / loaded.sent };
    }
    const open = (forged) =>
      load(
        side,
        side.webhookPort,
        'open',
        '--genuine',
        String(plan.genuine),
        '--forged',
        String(forged),
        '--seconds',
        String(plan.floodS),
      );
    const quiet = await open(0);
    const flood = await open(plan.flood);
    await sleep(plan.restMs ?? REST_MS);
    return { startUpMs, atRest, closed, quiet, flood, afterLoad: server.memory() };
  } finally {
    await server.stop();
  }
}
