// Starts the programs a test needs and ends exactly those, by pid.
import { spawn } from 'node:child_process';

/** Every child of this test run that is still alive, newest last. */
const running = new Set();

/**
 * Starts a program and keeps its last output for error messages.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, input?: 'pipe' }} [options]
 */
export function start(command, args, options = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: [options.input ?? 'ignore', 'pipe', 'pipe'],
    // A group of its own, so that its children (web processes) end with it.
    detached: true,
  });
  const lines = [];
  const keep = (chunk) => {
    lines.push(...String(chunk).split('\n').filter(Boolean));
    lines.splice(0, Math.max(0, lines.length - 200));
  };
  child.stderr.on('data', keep);
  const exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      running.delete(process_);
      resolve({ code, signal });
    });
    child.on('error', (error) => {
      keep(error.message);
      running.delete(process_);
      resolve({ code: -1, signal: null });
    });
  });
  const process_ = {
    child,
    exited,
    output: () => lines.join('\n'),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        return;
      }
      const late = setTimeout(() => {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It ended in the meantime.
        }
      }, 5_000);
      await exited;
      clearTimeout(late);
    },
  };
  running.add(process_);
  return process_;
}

/** Runs a program to its end; rejects with its output if it fails. */
export async function run(command, args, options = {}) {
  const process_ = start(command, args, options);
  const chunks = [];
  process_.child.stdout.on('data', (chunk) => chunks.push(chunk));
  const { code } = await process_.exited;
  if (code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${process_.output()}`);
  }
  return Buffer.concat(chunks);
}

/** Ends everything that is still running, newest first. */
export async function stopAll() {
  for (const process_ of [...running].reverse()) await process_.stop();
}

/**
 * Asks again until `probe` answers something other than undefined or false, or throws what it last said.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | undefined | false> | T | undefined | false} probe
 * @param {number} [limitMs]
 * @returns {Promise<T>}
 */
export async function until(what, probe, limitMs = 20_000) {
  const deadline = Date.now() + limitMs;
  let last;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${limitMs} ms for ${what}${last ? `: ${last.message}` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
