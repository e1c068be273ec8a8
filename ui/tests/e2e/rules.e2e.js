// What the rules of calls make of calls: which are placed, what callers get who are not answered, the
// queue, and the preview. All of it on the browser's sound path; the other path is the same above it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';

import { openBrowser } from './browser.js';
import { freePort } from './desktop.js';
import { stopAll, until } from './processes.js';
import { measure, startSound } from './sound.js';
import { furnish, openTwilio } from './twilio.js';

const TONE = '+12025550101';
const LEAVES_A_MESSAGE = '+12025550113';
const ENDS_A_MESSAGE_WITH_HASH = '+12025550114';
/** A number that Ofcom keeps for fiction, in a country that a new installation does not call. */
const ABROAD = '+442079460958';

const TONE_HZ = 440;
const SPOKEN_HZ = 1000;
/** Practice mode plays at -20 dBFS or louder; what is weaker than this is not the tone. */
const AUDIBLE = 0.01;
/** Recordings of two seconds of which one must be good: a busy computer tears the sound. */
const RECORDINGS = 6;
/** A greeting, a message and its recording take their real time. */
const MESSAGE_MS = 60_000;

let sound;
let phone;
before(async () => {
  sound = await startSound();
  phone = await openBrowser(sound.env);
  sound.speak(SPOKEN_HZ);
});
after(async () => {
  await phone?.close();
  await sound?.stop();
  await stopAll();
});

// What a failed test left behind must not fail the next.
beforeEach(async () => {
  const { page, simulator } = phone;
  await simulator.setFaults({});
  for (const call of await simulator.liveCalls()) {
    await simulator.hangUp(call.call_sid).catch(() => undefined);
  }
  await page.showPad(true);
  await page.ready();
});

/** The agent hears `hz`. */
async function agentHears(hz) {
  let heard;
  for (let recording = 0; recording < RECORDINGS; recording += 1) {
    heard = measure(await sound.listen(2), hz);
    if (heard.amplitude > AUDIBLE && heard.other.amplitude < heard.amplitude / 3) return;
  }
  assert.fail(`the agent does not hear ${hz} Hz: ${JSON.stringify(heard)}`);
}

const farEndHearsTheAgent = () =>
  until('the far end to hear the agent', async () => {
    const heard = await phone.simulator.heard();
    return heard && Math.abs((heard.dominant_hz ?? 0) - SPOKEN_HZ) < 5;
  });

async function hangUp() {
  const { page, simulator } = phone;
  await page.press('hangup-button');
  await until('no call', async () => (await simulator.liveCalls()).length === 0);
  await page.showPad();
}

/** The first row of the history, once it came to `outcome`. */
async function inTheLog(outcome, limitMs) {
  await phone.page.showLog();
  return until(
    `${outcome} in the log`,
    async () => {
      const [row] = await phone.page.log();
      return row?.outcome === outcome ? row : undefined;
    },
    limitMs,
  );
}

/** Chooses what callers get on the Incoming page, and saves. */
async function answerWith(answers) {
  const { page } = phone;
  await page.press('nav-incoming');
  for (const [of, answer] of Object.entries(answers)) await page.fill(`case-${of}`, answer);
  await page.press('save-rules');
  await page.disappears('rules-bar');
  await page.showPad();
}

/** Connects an account, as the agent does. */
async function connect(page, twilio, webhooks) {
  const inPhase = (wanted) =>
    until(`the account to be ${wanted}`, async () => {
      return (await page.attribute('account-phase', 'data-phase')) === wanted;
    });
  await page.ready();
  await page.press('connect-account');
  await page.fill('credential-account_sid', twilio.sid);
  await page.fill('credential-auth_token', twilio.token);
  await page.press('connect');
  await inPhase('choosing');
  await page.press('tunnel-fixed');
  await page.fill('tunnel-url', `http://${webhooks}`);
  await page.press('set-up');
  await inPhase('connected');
}

/** Turns do not disturb on or off. */
async function disturb(may) {
  const { page } = phone;
  await page.press('do-not-disturb');
  await until(
    'the agent to be left alone or not',
    async () => (await page.attribute('do-not-disturb', 'aria-pressed')) === String(!may),
  );
}

test('a country that was never called is asked about, and called once', async () => {
  const { page, simulator } = phone;
  await simulator.ask('PUT', `/far-ends/${encodeURIComponent(ABROAD)}`, {
    answer: { does: 'answer', after_s: 1 },
    talk: { does: 'tone', hz: TONE_HZ },
  });
  const dialled = (await simulator.calls()).length;
  await page.call(ABROAD);
  await page.appears('ask-country');
  assert.match(await page.text('ask-country'), /United Kingdom/);
  assert.equal((await simulator.calls()).length, dialled, 'nothing is dialled before the answer');
  await page.press('call-once');
  await until('the call to be up', () => page.has('call-timer'), 15_000);
  await agentHears(TONE_HZ);
  await farEndHearsTheAgent();
  await hangUp();
  // Once was once.
  await page.call(ABROAD);
  await page.appears('ask-country');
  await page.press('ask-cancel');
  await page.disappears('ask-country');
  await page.enterNumber('');
});

test('an emergency number is not called, and the notice says what to do', async () => {
  const { page, simulator } = phone;
  const dialled = (await simulator.calls()).length;
  await page.call('911');
  await page.appears('emergency-refused');
  assert.match(await page.text('emergency-refused'), /911.*mobile/s);
  assert.equal((await simulator.calls()).length, dialled, 'nothing was dialled');
  await page.press('emergency-close');
  await page.disappears('emergency-refused');
  await page.enterNumber('');
});

test('a caller who may not disturb leaves a message, which is heard and deleted', async () => {
  const { page, simulator } = phone;
  await disturb(false);
  await simulator.placeIncoming(LEAVES_A_MESSAGE);
  await inTheLog('voicemail', MESSAGE_MS);
  assert.equal(await page.has('answer-button'), false, 'the phone did not ring');
  await until(
    'the message',
    async () => (await page.attribute('recording', 'data-status')) === 'completed',
    MESSAGE_MS,
  );
  await page.press('play-recording');
  await until(
    'the message to be played',
    async () =>
      (await page.driver.evaluate(
        'const e = document.querySelector(arguments[0]); return e && e.currentTime > 0.5 ? e.duration : 0;',
        '[data-testid="recording-player"]',
      )) > 1,
  );
  await page.press('delete-recording');
  await page.press('delete-recording-confirm');
  await page.disappears('play-recording');
  assert.equal((await page.log())[0].outcome, 'voicemail', 'the call stays in the log');
  await page.showPad();
  await disturb(true);
});

test('a caller who finds nobody connected leaves a message', async () => {
  const { page, simulator } = phone;
  await simulator.setFaults({ refuse_signalling: true });
  await simulator.cutSignalling();
  await until(
    'the light to change',
    async () => (await page.attribute('light-in', 'data-state')) === 'reconnecting',
  );
  const before = (await page.log()).length;
  await simulator.placeIncoming(ENDS_A_MESSAGE_WITH_HASH);
  await page.showLog();
  await until('a row for the call', async () => (await page.log()).length > before);
  await inTheLog('voicemail', MESSAGE_MS);
  await until(
    'the message',
    async () => (await page.attribute('recording', 'data-status')) === 'completed',
    MESSAGE_MS,
  );
});

test('a caller waits in the queue until the agent takes them', async () => {
  const { page, simulator } = phone;
  await answerWith({ open: 'queue', busy: 'queue' });
  await simulator.placeIncoming(TONE);
  await page.appears('queue-card');
  assert.match(await page.text('queue-card'), /202/);
  assert.equal(await page.has('answer-button'), false, 'the phone does not ring');
  await page.press('take-next');
  await until('the call to be up', () => page.has('call-timer'), 15_000);
  await agentHears(TONE_HZ);
  await farEndHearsTheAgent();
  await hangUp();
  await page.disappears('queue-card');
  await inTheLog('answered');
  await page.showPad();
  await answerWith({ open: 'ring', busy: 'voicemail' });
});

test('a preview plays the rules on the page without calling anybody', async () => {
  const { page, simulator } = phone;
  const calls = (await simulator.calls()).length;
  await page.press('nav-incoming');
  await page.fill('case-open', 'menu');
  await page.fill('preview-keys', '1');
  await page.press('preview-play');
  await page.appears('preview-stop');
  await page.appears('preview-play', 70_000);
  const said = await page.text('preview-lines');
  assert.match(said, /To speak to somebody, press 1\./);
  assert.match(said, /rings/i);
  assert.equal((await simulator.calls()).length, calls, 'the phone knows of no call');
  await page.press('discard-rules');
  await page.disappears('rules-bar');
  await page.showPad();
});

test('Twilio is told what answers while this computer sleeps, and the agent when it does not', async () => {
  const { page } = phone;
  await page.press('nav-incoming');
  assert.match(await page.text('fallback'), /practice mode/);
  assert.equal(await page.has('fallback-url'), false, 'there is no Twilio to tell');
  await page.showPad();

  const twilio = await openTwilio();
  await furnish(twilio);
  const webhooks = `127.0.0.1:${await freePort()}`;
  let status = 200;
  const document = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end('<Response><Say>Please call again later.</Say></Response>');
  });
  await new Promise((resolve) => document.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${document.address().port}/fallback`;
  const inUse = async () => {
    const { applications } = await twilio.simulator.state();
    return applications.find((one) => one.friendly_name.startsWith('Kennex Dialer on'))
      .voice_fallback_url;
  };
  const connected = await openBrowser(sound.env, {
    args: ['--twilio', twilio.url, '--webhook-listen', webhooks],
  });
  try {
    await connect(connected.page, twilio, webhooks);
    await connected.page.press('nav-incoming');
    const state = (pattern) =>
      until(`the page to say ${pattern}`, async () =>
        pattern.test((await connected.page.text('fallback-state')) ?? ''),
      );
    await state(/Not set up/);
    await connected.page.fill('fallback-url', url);
    await connected.page.press('fallback-save');
    await state(/Set up/);
    assert.equal(await inUse(), url);
    status = 404;
    await connected.page.press('fallback-check');
    await state(/404/);
    await connected.page.press('fallback-remove');
    await state(/Not set up/);
    assert.equal((await inUse()) ?? '', '');
  } finally {
    await connected.close();
    await new Promise((resolve) => document.close(resolve));
    await twilio.close();
  }
});
