// What goes wrong on real computers: each gives one clear sentence, nothing hangs, nothing is lost.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { BINARIES, openDesktop, openWindow } from './desktop.js';
import { start, stopAll, until } from './processes.js';

const TONE = '+12025550101';
/** The data folder of a debug build. */
const DATA = 'com.kennex.dialer.debug';

let home;
before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'dialer-troubles-'));
});
after(async () => {
  await stopAll();
  await rm(home, { recursive: true, force: true });
});

/** A computer of its own: no sound server, no keychain, an empty data folder. */
async function bareComputer(name) {
  const folder = path.join(home, name);
  const runtime = path.join(folder, 'run');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const data = path.join(folder, 'data', DATA);
  await mkdir(data, { recursive: true });
  const env = {
    HOME: folder,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: path.join(folder, 'data'),
    PULSE_SERVER: `unix:${path.join(runtime, 'nobody-listens')}`,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${path.join(runtime, 'no-bus')}`,
  };
  return { env, data };
}

const notices = (page) =>
  page.driver.evaluate(
    'return [...document.querySelectorAll(\'[data-testid="notice"]\')].map((e) => e.textContent.trim());',
  );

const noticeAbout = (page, pattern) =>
  until(`a notice about ${pattern}`, async () =>
    (await notices(page)).find((text) => pattern.test(text)),
  );

/** Runs a program that should not start; answers with its code and what it said. */
async function refusal(binary, args, env) {
  const program = start(binary, args, { env });
  const { code } = await program.exited;
  return { code, said: program.output() };
}

test('without a sound device the call still connects, with a notice', async () => {
  const { env } = await bareComputer('silent');
  const { page, simulator, close } = await openDesktop(env);
  try {
    await page.ready();
    await page.call(TONE);
    await until('the call to be up', () => page.has('call-timer'), 15_000);
    await noticeAbout(page, /sound system/);
    await until(
      'packets of silence to reach the far end',
      async () => ((await simulator.heard())?.packets ?? 0) > 50,
    );
    await page.press('hangup-button');
    await page.showLog();
    await until('the call in the log', async () => (await page.log())[0]?.outcome === 'answered');
  } finally {
    await close();
  }
});

test('a damaged call log is set aside, and the agent is told; a missing keychain where it matters', async () => {
  const { env, data } = await bareComputer('damaged');
  const garbage = 'this was a call log once, and somebody may be able to rescue it';
  await writeFile(path.join(data, 'practice-calls.sqlite'), garbage);
  const { page, close } = await openDesktop(env, []);
  try {
    await noticeAbout(page, /damaged/);
    const kept = (await readdir(data)).find((name) => name.startsWith('practice-calls.damaged-'));
    assert.ok(kept, 'the damaged file is still there under a new name');
    assert.equal(await readFile(path.join(data, kept), 'utf8'), garbage);
    await page.ready();
    await page.press('nav-account');
    assert.match(await page.text('vault-error'), /keychain/i);
    assert.equal(await page.has('vault-file'), true, 'an encrypted file is offered instead');
    // A second program on the same folder must not write into the same files.
    const second = await openWindow(env, []);
    try {
      await second.page.appears('start-failure');
      assert.match(await second.page.text('start-failure'), /another copy of the program/i);
    } finally {
      await second.close();
    }
  } finally {
    await close();
  }
});

test('while signalling is away the lights say so, and come back by themselves', async () => {
  const { env } = await bareComputer('offline');
  const { page, simulator, close } = await openDesktop(env);
  try {
    await page.ready();
    await simulator.setFaults({ refuse_signalling: true });
    await simulator.cutSignalling();
    await until(
      'the light to change',
      async () => (await page.attribute('light-in', 'data-state')) === 'reconnecting',
    );
    await page.enterNumber(TONE);
    assert.equal(
      await page.driver.evaluate(
        'return document.querySelector(arguments[0]).getAttribute("aria-disabled") ?? String(document.querySelector(arguments[0]).disabled);',
        '[data-testid="call-button"]',
      ),
      'true',
      'a call cannot be placed meanwhile',
    );
    await simulator.setFaults({});
    await page.ready();
  } finally {
    await close();
  }
});

test('without a display the program says so and ends', async () => {
  const { code, said } = await refusal(BINARIES.dialer, [], {
    DISPLAY: undefined,
    WAYLAND_DISPLAY: undefined,
  });
  assert.equal(code, 2);
  assert.match(said, /no display.*\.\/dev run/s);
});

test('a port that is taken is named, with what to do', async () => {
  const taken = createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${taken.address().port}`;
  try {
    for (const [binary, args] of [
      [BINARIES.dialer, ['--practice', '--simulator-listen', address]],
      [
        BINARIES.server,
        ['page', '--listen', address, '--ui', path.resolve(import.meta.dirname, '../../dist')],
      ],
      [BINARIES.simulator, ['--listen', address]],
    ]) {
      const { code, said } = await refusal(binary, args, {});
      assert.equal(code, 2, `${path.basename(binary)}: ${said}`);
      assert.match(said, new RegExp(String(taken.address().port)), path.basename(binary));
      assert.match(said, /another/i, path.basename(binary));
    }
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});
