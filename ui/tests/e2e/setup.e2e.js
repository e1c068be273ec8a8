// Connecting an account as a new user does: two values, one number, a call. Then what goes wrong on the way.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { BINARIES, freePort, openWindow } from './desktop.js';
import { startKeychain } from './keychain.js';
import { run, start, stopAll, until } from './processes.js';
import { measure, startSound } from './sound.js';
import { furnish, inventoryOf, openTwilio } from './twilio.js';

const TONE = '+12025550101';
const TONE_HZ = 440;
const CALLER = '+12025550100';
/** The promise of the first page. */
const MINUTES = 2;
/** Clicks and fields from the first look to the phone that is ready. */
const MOST_ACTS = 8;

let home;
let sound;
before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'dialer-setup-'));
  sound = await startSound();
});
after(async () => {
  await sound.stop();
  await stopAll();
  await rm(home, { recursive: true, force: true });
});

/** An agent's computer: sound, a keychain, and nothing of ours on it yet. */
async function computer(name) {
  const keychain = await startKeychain(path.join(home, name));
  // The home of the sound server, because its cookie is there.
  return { env: { ...keychain.env, ...sound.env }, stop: () => keychain.stop() };
}

/** The acts of a person, counted: each click and each field filled. */
function counted(page) {
  let acts = 0;
  return {
    click: async (id) => {
      acts += 1;
      await page.press(id);
    },
    fill: async (id, text) => {
      acts += 1;
      await page.fill(id, text);
    },
    acts: () => acts,
  };
}

const phase = (page) => page.attribute('account-phase', 'data-phase');

const inPhase = (page, wanted, limitMs = 40_000) =>
  until(`the account to be ${wanted}`, async () => (await phase(page)) === wanted, limitMs);

test('a new user pastes two values, picks a number, and calls; disconnecting leaves no trace', async () => {
  const { env, stop } = await computer('new-user');
  const twilio = await openTwilio();
  const { busy, free } = await furnish(twilio);
  const before = await inventoryOf(twilio);
  const webhooks = `127.0.0.1:${await freePort()}`;
  const { page, log, close } = await openWindow(env, [
    '--twilio',
    twilio.url,
    '--webhook-listen',
    webhooks,
  ]);
  try {
    await page.ready();
    const begun = Date.now();
    const person = counted(page);
    await person.click('connect-account');
    await person.fill('credential-account_sid', twilio.sid);
    await person.fill('credential-auth_token', twilio.token);
    await person.click('connect');
    await inPhase(page, 'choosing');
    assert.match(await page.text('numbers'), /reception\.example\.com/);
    assert.equal(await page.checked(`number-${busy}`), false, 'what is in use is not taken');
    assert.equal(await page.checked(`number-${free}`), true, 'what is free is offered');
    await person.click('tunnel-fixed');
    await person.fill('tunnel-url', `http://${webhooks}`);
    await person.click('set-up');
    await inPhase(page, 'connected');
    await page.ready();
    const seconds = (Date.now() - begun) / 1000;
    console.log(`# connected after ${person.acts()} acts and ${seconds.toFixed(1)} s`);
    assert.ok(person.acts() <= MOST_ACTS, `${person.acts()} acts`);
    assert.ok(seconds < MINUTES * 60, `${seconds} s`);

    const state = await twilio.simulator.state();
    const app = state.applications.find((one) => one.friendly_name.startsWith('Kennex Dialer on'));
    assert.equal(app.voice_url, `http://${webhooks}/api/calls/twiml`);
    const number = (wanted) => state.numbers.find((one) => one.phone_number === wanted);
    assert.equal(number(free).voice_application_sid, app.sid);
    assert.equal(number(busy).voice_url, 'https://reception.example.com/voice?lang=en');

    await page.showPad();
    await page.call(TONE);
    await until('the call to be up', () => page.has('call-timer'), 20_000);
    const heard = await sound.listen(2);
    const found = measure(heard, TONE_HZ);
    assert.ok(found.amplitude > 0.05, `the far end is heard: ${JSON.stringify(found)}\n${log()}`);
    await page.press('hangup-button');
    await page.press('done-button');

    await twilio.simulator.ask('POST', '/incoming', { from: CALLER, to: free });
    await page.appears('answer-button', 15_000);
    await page.press('answer-button');
    await until('the call to be up', () => page.has('call-timer'), 20_000);
    await page.press('hangup-button');
    await until('no call', async () => (await twilio.simulator.liveCalls()).length === 0);
    await page.press('done-button');

    await page.press('nav-account');
    await page.press('disconnect');
    await page.appears('disconnect-preview', 20_000);
    await page.press('confirm-disconnect');
    await until('practice again', () => page.has('connect-card'), 40_000);
    assert.equal(await inventoryOf(twilio), before);
    assert.ok(!log().includes(twilio.token), 'the log holds no secret');
  } finally {
    await close();
    await twilio.close();
    await stop();
  }
});

test('what is entered without a network is kept, and goes on by itself', async () => {
  const { env, stop } = await computer('offline');
  const twilio = await openTwilio();
  await twilio.simulator.setFaults({ rest: [{ then: { does: 'close' } }] });
  const { page, close } = await openWindow(env, ['--twilio', twilio.url]);
  try {
    await page.ready();
    await page.press('connect-account');
    await page.fill('credential-account_sid', twilio.sid);
    await page.fill('credential-auth_token', twilio.token);
    await page.press('connect');
    await page.appears('account-waiting', 20_000);
    assert.match(await page.text('account-waiting'), /by itself/);
    await twilio.simulator.setFaults({});
    await inPhase(page, 'choosing', 60_000);
    assert.equal(await page.has('account-waiting'), false);
  } finally {
    await close();
    await twilio.close();
    await stop();
  }
});

test('a tunnel program that dies is started anew, and none outlives a phone that is killed', async () => {
  const { env, stop } = await computer('tunnel');
  const twilio = await openTwilio();
  // Prints its address, and is known by a name that no other process has.
  const mark = path.join(home, 'tunnel-program');
  await writeFile(mark, '#!/bin/sh\necho "serving http://127.0.0.1:$1"\nexec sleep 1000001\n');
  await chmod(mark, 0o755);
  const running = async () => {
    const found = (await run('sh', ['-c', 'pgrep -f "^sleep 1000001$" || true'])).toString();
    return found.split('\n').filter(Boolean).map(Number);
  };
  const { page, close } = await openWindow(env, ['--twilio', twilio.url]);
  try {
    await page.ready();
    await page.press('connect-account');
    await page.fill('credential-account_sid', twilio.sid);
    await page.fill('credential-auth_token', twilio.token);
    await page.press('connect');
    await inPhase(page, 'choosing');
    await page.press('tunnel-command');
    await page.fill('tunnel-program', mark);
    await page.fill('tunnel-arguments', '{port}');
    await page.fill('tunnel-url_pattern', 'http://[^ ]+');
    await page.press('set-up');
    await inPhase(page, 'connected');
    await page.ready();
    const [first] = await running();
    assert.ok(first, 'the program was started');
    process.kill(first, 'SIGKILL');
    await until('a new one', async () => {
      const [now] = await running();
      return now && now !== first;
    });
    await page.ready();
    const dialer = (await run('pgrep', ['-n', '-f', `^${BINARIES.dialer} `])).toString().trim();
    process.kill(Number(dialer), 'SIGKILL');
    await until('nothing of it to be left', async () => (await running()).length === 0, 15_000);
  } finally {
    await close();
    await twilio.close();
    await stop();
  }
});

/** The phone without a window, driven as its page drives it. */
async function openServer(env, data, twilio) {
  const server = start(
    BINARIES.server,
    [
      'page',
      '--data',
      data,
      '--twilio',
      twilio.url,
      '--ui',
      path.resolve(import.meta.dirname, '../../dist'),
    ],
    { env },
  );
  let printed = '';
  server.child.stdout.on('data', (chunk) => (printed += chunk));
  const url = new URL(
    await until('dialer-server', () => /open: (\S+)/.exec(printed)?.[1]).catch((error) => {
      throw new Error(`${error.message}\n${server.output()}`);
    }),
  );
  const secret = url.hash.replace('#secret=', '');
  const ask = async (command, args = {}) => {
    const response = await fetch(new URL(`/host/${command}`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify(args),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${command}: ${answer.message}`);
    return answer;
  };
  const status = () => ask('account_status');
  return {
    ask,
    status,
    output: () => server.output(),
    reaches: (wanted) =>
      until(
        `the account to be ${wanted}`,
        async () => {
          const { phase: now, error } = await status();
          if (error) throw new Error(`${now}: ${error.message}`);
          return now === wanted;
        },
        40_000,
      ),
    kill: () => server.stop('SIGKILL'),
    stop: () => server.stop(),
  };
}

/** The tunnel of a computer on which Twilio is, too: the address of the webhook server itself. */
const DIRECT = {
  type: 'command',
  program: '/bin/sh',
  arguments: ['-c', 'echo http://127.0.0.1:{port}; exec sleep 1000000'],
  url_pattern: 'http://[^ ]+',
  url: null,
};

/** Each request that changes something, or that something is kept before or after, by what it belongs to. */
const REQUESTS = [
  { during: 'check', method: 'GET', path_contains: '/Accounts/AC' },
  { during: 'set_up', method: 'GET', path_contains: '/Keys.json' },
  { during: 'set_up', method: 'POST', path_contains: '/Keys.json' },
  { during: 'set_up', method: 'POST', path_contains: '/Applications.json' },
  { during: 'set_up', method: 'POST', path_contains: '/IncomingPhoneNumbers/' },
  { during: 'disconnect', method: 'POST', path_contains: '/IncomingPhoneNumbers/' },
  { during: 'disconnect', method: 'DELETE', path_contains: '/Applications/' },
  { during: 'disconnect', method: 'DELETE', path_contains: '/Keys/' },
];

test('killed at any step, the phone goes on where it was, and leaves nothing behind', async (t) => {
  const { env, stop } = await computer('killed');
  try {
    for (const request of REQUESTS) {
      for (const does of ['hold_before', 'hold_after']) {
        const { during, method, path_contains: part } = request;
        await t.test(`${during}: ${does} ${method} ${part}`, () => killedAt(env, request, does));
      }
    }
  } finally {
    await stop();
  }
});

async function killedAt(env, { during, ...request }, does) {
  const twilio = await openTwilio();
  const data = await mkdtemp(path.join(home, 'data-'));
  await furnish(twilio);
  const before = await inventoryOf(twilio);
  let phone = await openServer(env, data, twilio);
  const steps = {
    check: async () => {
      await phone.ask('enter_credential', { field: 'account_sid', text: twilio.sid });
      await phone.ask('enter_credential', { field: 'auth_token', text: twilio.token });
      await phone.ask('check_account');
    },
    set_up: async () => {
      const { choices, inventory } = await phone.status();
      // The number in use, too: its settings are what must not be lost.
      const ring = inventory.numbers.map((number) => number.sid);
      await phone.ask('set_up', { choices: { ...choices, ring, tunnel: DIRECT } });
    },
    disconnect: () => phone.ask('disconnect', { undo: { delete_app: true, delete_key: true } }),
  };
  const leadsTo = { check: 'choosing', set_up: 'connected', disconnect: 'none' };
  try {
    for (const step of Object.keys(steps)) {
      const interrupted = step === during;
      if (interrupted) {
        await twilio.simulator.setFaults({ rest: [{ ...request, times: 1, then: { does } }] });
      }
      await steps[step]();
      if (interrupted) {
        await until('the request to be held', async () =>
          (await twilio.simulator.events()).some(({ event }) => event === 'rest_held'),
        );
        await phone.kill();
        await twilio.simulator.setFaults({});
        phone = await openServer(env, data, twilio);
      }
      await phone.reaches(leadsTo[step]);
      if (step === 'set_up') await isSetUp(phone, twilio);
    }
    assert.equal(await inventoryOf(twilio), before, 'all is as it was');
  } catch (error) {
    throw new Error(`${error.message}\n${phone.output()}`, { cause: error });
  } finally {
    await phone.stop();
    await twilio.close();
  }
}

async function isSetUp(phone, twilio) {
  const { keys, applications, numbers } = await twilio.simulator.state();
  const ours = (list) => list.filter((one) => one.friendly_name.startsWith('Kennex Dialer on'));
  assert.equal(ours(keys).length, 1, 'one key');
  assert.equal(ours(applications).length, 1, 'one app');
  const [app] = ours(applications);
  assert.ok(
    numbers.every((one) => one.voice_application_sid === app.sid),
    'every number rings here',
  );
  await phone.ask('issue_access_token');
}
