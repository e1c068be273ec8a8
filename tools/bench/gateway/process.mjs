// Starting programs, pinning them to a processor, looking at their memory, and ending them.

import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** With two processors or more, the server has one to itself and the load tool another. */
export const PINNED = availableParallelism() >= 2;

/** The program and arguments that run `command` on `processor`. */
export function pinned(processor, [program, ...args]) {
  return PINNED ? ['taskset', '--cpu-list', String(processor), program, ...args] : [program, ...args];
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server under measurement. */
export class Server {
  #child;
  #ended;
  #log;

  /** Starts `side` (sides.mjs) and waits until `ready()` holds. */
  static async start(side, ready) {
    const server = new Server();
    server.#log = side.log;
    const log = openSync(side.log, 'a');
    const [program, ...args] = pinned(0, side.command);
    server.#child = spawn(program, args, { cwd: side.folder, env: side.env, stdio: ['ignore', log, log] });
    closeSync(log);
    server.#ended = new Promise((resolve) => {
      server.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      server.#child.once('exit', (code, signal) => resolve(`ended: ${signal ?? code}`));
    });
    let ended;
    server.#ended.then((how) => (ended = how));
    const deadline = Date.now() + 60_000;
    while (!(await ready())) {
      if (ended !== undefined) throw new Error(`${side.name} ${ended}\n${server.tail()}`);
      if (Date.now() > deadline) {
        await server.stop();
        throw new Error(`${side.name} was not ready within a minute\n${server.tail()}`);
      }
      await sleep(20);
    }
    return server;
  }

  /** `{ rss, pss }` in MiB: what is resident, and the share of it that others do not use too. */
  memory() {
    const text = readFileSync(`/proc/${this.#child.pid}/smaps_rollup`, 'utf8');
    const mib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)[1]) / 1024;
    return { rss: mib('Rss'), pss: mib('Pss') };
  }

  /** Processor time used so far, in milliseconds, in steps of ten: Linux counts a hundred a second. */
  cpuMs() {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    // Behind the program's name, which may hold spaces: utime and stime, fields 14 and 15 of proc(5).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Asks it to end, as systemd and Docker do; says how long that took in milliseconds. */
  async stop() {
    const asked = performance.now();
    this.#child.kill('SIGTERM');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    const how = await this.#ended;
    clearTimeout(patience);
    if (how !== 'ended: 0') throw new Error(`asked to end, the server ${how}\n${this.tail()}`);
    return performance.now() - asked;
  }

  /** The end of what it wrote. */
  tail() {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-15).join('\n');
  }
}

/** The limits of the load tool itself, against a server that does nothing, with options `args`. */
export async function toolItself(program, args) {
  // Tool and server are threads of one program here, so they share the processors by themselves.
  const { stdout } = await execute(program, ['self', ...args]);
  return JSON.parse(stdout);
}

/** The load tool against one side. */
export function loadTool(program, env) {
  let seed = Date.now();
  return async (side, port, what, ...args) => {
    seed += 1;
    const command = [program, what, '--server', `127.0.0.1:${port}`, '--seed', String(seed), ...args];
    const [first, ...rest] = pinned(1, command);
    const { stdout } = await execute(first, rest, { env: { ...env, ...side.env }, cwd: side.folder });
    return JSON.parse(stdout);
  };
}
