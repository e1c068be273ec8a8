// One round on one side, and the calibration before all rounds.

import { setTimeout as sleep } from 'node:timers/promises';

import { Server, pinned } from './process.mjs';

export const KINDS = ['twiml-get', 'twiml-post', 'twiml-forged', 'status', 'token'];
/** As long as an allocator or a garbage collector takes to come to rest. */
const REST_MS = 2_000;

const portFor = (side, kind) => (kind === 'token' ? side.tokenPort : side.webhookPort);
const lasting = (plan) => ['--warm-up', String(plan.warmUpS), '--seconds', String(plan.seconds)];
const madeAhead = (plan) => ['--ahead', String(plan.ahead)];

/** As many requests of `kind` as `side` can answer. */
const closedLoad = (side, load, kind, plan) =>
  load(side, portFor(side, kind), 'closed', '--kind', kind, ...lasting(plan), ...madeAhead(plan));

/**
 * The rate at which each kind of request is paced on both sides, per second: `plan.load`, a share, of
 * what `side` can answer. All answers of the calibration are told in `closed`.
 */
export async function calibrate(side, load, twilio, plan) {
  const server = await Server.start(side, () => twilio.isUp(side));
  try {
    await twilio.begin(side);
    const closed = {};
    for (const kind of KINDS) closed[kind] = await closedLoad(side, load, kind, plan);
    const rates = Object.fromEntries(
      KINDS.map((kind) => [kind, Math.max(1, Math.round(closed[kind].perSecond * plan.load))]),
    );
    return { closed, rates };
  } finally {
    await server.stop();
  }
}

/**
 * How long `side` takes to start, and how much memory it has after its first call: milliseconds and MiB.
 */
export async function measureStart(side, load, twilio, plan) {
  const { startUpMs } = await load(side, side.webhookPort, 'start-up', '--', ...pinned(0, side.command));
  const server = await Server.start(side, () => twilio.isUp(side));
  try {
    await twilio.begin(side);
    await sleep(plan.restMs ?? REST_MS);
    return { startUpMs, atRest: server.memory() };
  } finally {
    await server.stop();
  }
}

/**
 * Starts `side` twice: once to time it, once to load it. `load` is the load tool (process.mjs),
 * `twilio` (twilio.mjs) asks single questions, `plan` says how long and how much, `rates` at which rate
 * each kind is paced. Times in milliseconds, memory in MiB; `unlogged` are events that the call log had no
 * room for.
 */
export async function measure(side, load, twilio, plan, rates) {
  const { startUpMs } = await load(side, side.webhookPort, 'start-up', '--', ...pinned(0, side.command));
  const server = await Server.start(side, () => twilio.isUp(side));
  try {
    // What a server loads for its first call belongs to it at rest.
    await twilio.begin(side);
    await sleep(plan.restMs ?? REST_MS);
    const atRest = server.memory();
    const closed = {};
    const paced = {};
    // Express keeps no log that could fall behind.
    const unlogged = async () => (await side.unlogged?.()) ?? 0;
    for (const kind of KINDS) {
      const [cpuMs, lost] = [server.cpuMs(), await unlogged()];
      const loaded = await closedLoad(side, load, kind, plan);
      const cpuUs = ((server.cpuMs() - cpuMs) * 1000) / loaded.sent;
      closed[kind] = { ...loaded, cpuUs, unlogged: (await unlogged()) - lost };
      await sleep(plan.restMs ?? REST_MS);
      const lostUntilNow = await unlogged();
      const rate = ['--rate', String(rates[kind])];
      const due = await load(side, portFor(side, kind), 'paced', '--kind', kind, ...rate, ...lasting(plan));
      paced[kind] = { ...due, unlogged: (await unlogged()) - lostUntilNow };
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
    return { startUpMs, atRest, closed, paced, quiet, flood, afterLoad: server.memory() };
  } finally {
    await server.stop();
  }
}
