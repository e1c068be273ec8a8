// A day at the phone, told once and run on both sound paths: the native engine in the desktop window
// and the browser's own WebRTC.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { stopAll, until } from './processes.js';
import { measure, startSound } from './sound.js';

const ECHO = '+12025550100';
const TONE = '+12025550101';
const BUSY = '+12025550102';
const READS_DIGITS = '+12025550109';
const HANGS_UP_SOON = '+12025550133';

const TONE_HZ = 440;
const SPOKEN_HZ = 1000;
/** Practice mode plays at -20 dBFS or louder; what is weaker than this is not the tone. */
const AUDIBLE = 0.01;
/**
 * Longest silence that is still a busy computer's sound server rather than a call that stopped. The
 * path itself is held to no dropout at all by the self-test, which has no sound server in it.
 */
const STUTTER_MS = 300;
/** Longest stretch without a gap that one recording must hold: chopped speech has none. */
const CLEAN_MS = 250;
/** Recordings of two seconds of which one must be good. */
const RECORDINGS = 6;

/** What is wrong with a recording of the far end's tone; undefined if nothing is. */
function fault(heard) {
  if (heard.amplitude <= AUDIBLE) return `the agent hears ${TONE_HZ} Hz at ${heard.amplitude}`;
  if (heard.other.amplitude >= heard.amplitude / 3)
    return `the agent also hears ${JSON.stringify(heard.other)}`;
  if (heard.longestGapMs >= STUTTER_MS)
    return `a gap of ${heard.longestGapMs} ms at the loudspeaker`;
  if (heard.longestCleanMs < CLEAN_MS) {
    return `never ${CLEAN_MS} ms without a gap, ${heard.gaps} gaps of 10 ms in ${heard.seconds} s`;
  }
  return undefined;
}

/**
 * Opens a phone with a sound server of its own and plays the day on it.
 * @template {{ page: import('./page.js').Page, simulator: import('./simulator.js').Simulator, close(): Promise<void> }} Phone
 * @param {string} where
 * @param {(env: Record<string, string>) => Promise<Phone>} open
 * @returns {() => Phone} the phone, for what only one of them shows
 */
export function day(where, open) {
  let speaker;
  let opened;
  const sound = () => speaker;
  const phone = () => opened;
  before(async () => {
    speaker = await startSound();
    opened = await open(speaker.env);
    speaker.speak(SPOKEN_HZ);
  });
  after(async () => {
    await opened?.close();
    await speaker?.stop();
    await stopAll();
  });

  const farEndHears = () => phone().simulator.heard();

  // A computer busy with other work tears the sound between program and sound server, for a moment; a
  // call whose sound is bad tears it every time.
  const soundBothWays = async () => {
    let problem;
    for (let recording = 0; recording < RECORDINGS; recording += 1) {
      problem = fault(measure(await sound().listen(2), TONE_HZ));
      if (!problem) break;
    }
    assert.equal(problem, undefined);
    const far = await until('the far end to hear the tone', async () => {
      const now = await farEndHears();
      return now && Math.abs((now.dominant_hz ?? 0) - SPOKEN_HZ) < 5 ? now : undefined;
    });
    return far;
  };

  // What a failed test left behind must not fail the next.
  beforeEach(async () => {
    for (const call of await phone().simulator.liveCalls()) {
      await phone()
        .simulator.hangUp(call.call_sid)
        .catch(() => undefined);
    }
    await phone().page.showPad();
    await phone().page.ready();
  });

  const backAtThePad = async () => {
    await until('the call to be over', () => phone().page.has('number-input'), 15_000);
  };

  test(`${where}: type a number, call, hear, press keys, hang up, see it in the log`, async () => {
    const { page } = phone();
    await page.ready();
    await page.call(TONE);
    await page.appears('hangup-button');
    await until('the call to be up', () => page.has('call-timer'), 15_000);
    await soundBothWays();
    await page.press('hangup-button');
    await backAtThePad();
    await page.showLog();
    const rows = await until('the call in the log', async () => {
      const rows = await page.log();
      return rows[0]?.outcome === 'answered' ? rows : undefined;
    });
    assert.equal(rows[0].direction, 'outgoing');
    await page.showPad();
  });

  test(`${where}: keys pressed in a call reach the far end`, async () => {
    const { page } = phone();
    await page.call(READS_DIGITS);
    await until('the call to be up', () => page.has('call-timer'), 15_000);
    await page.press('keypad-button');
    for (const digit of '159#') await page.key(digit);
    await until('the far end to hear 159#', async () => (await farEndHears())?.dtmf === '159#');
    await page.press('hangup-button');
    await backAtThePad();
  });

  test(`${where}: answer an incoming call`, async () => {
    const { page, simulator } = phone();
    await simulator.placeIncoming(TONE);
    await page.appears('answer-button');
    assert.match((await page.text('call-peer')) ?? '', /202/);
    await page.press('answer-button');
    await until('the call to be up', () => page.has('call-timer'));
    await soundBothWays();
    await page.press('hangup-button');
    await backAtThePad();
    await page.showLog();
    await until('an answered incoming call in the log', async () => {
      const [row] = await page.log();
      return row?.direction === 'incoming' && row.outcome === 'answered';
    });
    await page.showPad();
  });

  test(`${where}: decline an incoming call`, async () => {
    const { page, simulator } = phone();
    await simulator.placeIncoming(ECHO);
    await page.appears('decline-button');
    await page.press('decline-button');
    await backAtThePad();
    await page.showLog();
    await until(
      'a declined call in the log',
      async () => (await page.log())[0]?.outcome === 'declined',
    );
    await page.showPad();
  });

  test(`${where}: the caller gives up`, async () => {
    const { page, simulator } = phone();
    const call = await simulator.placeIncoming(ECHO);
    await page.appears('answer-button');
    await simulator.hangUp(call);
    await backAtThePad();
    await page.showLog();
    await until(
      'a missed call in the log',
      async () => (await page.log())[0]?.outcome === 'missed',
    );
    await page.showPad();
  });

  test(`${where}: the far end hangs up`, async () => {
    const { page } = phone();
    await page.call(HANGS_UP_SOON);
    await until('the call to be up', () => page.has('call-timer'), 15_000);
    await backAtThePad();
    await page.showLog();
    await until(
      'an answered call in the log',
      async () => (await page.log())[0]?.outcome === 'answered',
    );
    await page.showPad();
  });

  test(`${where}: the far end is busy`, async () => {
    const { page } = phone();
    await page.call(BUSY);
    await until('the reason in words', async () => /busy/i.test(await page.visibleText()), 15_000);
    await page.showLog();
    await until('a busy call in the log', async () => (await page.log())[0]?.outcome === 'busy');
    await page.showPad();
  });

  test(`${where}: signalling is cut in a call and comes back without the sound stopping`, async () => {
    const { page, simulator } = phone();
    await page.call(TONE);
    await until('the call to be up', () => page.has('call-timer'), 15_000);
    await soundBothWays();
    const listening = sound().listen(4);
    await simulator.cutSignalling();
    const heard = measure(await listening, TONE_HZ);
    assert.ok(heard.amplitude > AUDIBLE, 'the sound goes on');
    assert.ok(
      heard.longestGapMs < STUTTER_MS,
      `a gap of ${heard.longestGapMs} ms while signalling was away`,
    );
    await page.ready();
    assert.ok(await page.has('call-timer'), 'the call is still up');
    await soundBothWays();
    await page.press('hangup-button');
    await backAtThePad();
  });

  test(`${where}: a number that cannot be dialled says so`, async () => {
    const { page } = phone();
    await page.enterNumber('12');
    const dialled = (await phone().simulator.calls()).length;
    await until('a sentence', async () => /\w/.test((await page.text('number-problem')) ?? ''));
    await page.press('call-button').catch(() => undefined);
    assert.equal((await phone().simulator.calls()).length, dialled, 'nothing was dialled');
    await page.enterNumber('');
  });

  return phone;
}
