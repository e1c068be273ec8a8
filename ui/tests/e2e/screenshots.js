// Draws every view of the real program, light and dark, for the documentation: `./dev screenshots`.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { openBrowser } from './browser.js';
import { freePort } from './desktop.js';
import { stopAll, until } from './processes.js';
import { startSound } from './sound.js';
import { furnish, openTwilio } from './twilio.js';

const FOLDER = path.resolve(import.meta.dirname, '../../../docs/screenshots');
const NARROW = { width: 400, height: 680 };
const SMALLEST = { width: 360, height: 560 };
const WIDE = { width: 1000, height: 680 };

await mkdir(FOLDER, { recursive: true });
const sound = await startSound();
sound.speak(1000);
try {
  for (const light of [true, false]) {
    await draw(light);
    await drawAccount(light);
    await drawRules(light);
  }
} finally {
  await stopAll();
  await sound.stop();
}

/** Takes pictures of a page by name. */
function shooter(page, light) {
  return async (name) => {
    // Transitions have ended and fonts are drawn.
    await page.driver.evaluate(
      'return document.fonts.ready.then(() => Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined)))).then(() => null);',
    );
    await writeFile(
      path.join(FOLDER, `${name}-${light ? 'light' : 'dark'}.png`),
      await page.driver.screenshot(),
    );
  };
}

/** Connecting an account, up to the page that shows it connected. */
async function drawAccount(light) {
  const twilio = await openTwilio();
  await furnish(twilio);
  const webhooks = `127.0.0.1:${await freePort()}`;
  const args = ['--twilio', twilio.url, '--webhook-listen', webhooks];
  const { page, close } = await openBrowser(sound.env, { light, viewport: NARROW, args });
  const shot = shooter(page, light);
  const inPhase = (wanted) =>
    until(`the account to be ${wanted}`, async () => {
      return (await page.attribute('account-phase', 'data-phase')) === wanted;
    });
  await page.ready();
  await page.press('connect-account');
  await page.fill('credential-account_sid', twilio.sid);
  await page.fill('credential-auth_token', twilio.token);
  await shot('account');
  await page.press('connect');
  await inPhase('choosing');
  await shot('account-choosing');
  await page.press('tunnel-fixed');
  await page.fill('tunnel-url', `http://${webhooks}`);
  await page.press('set-up');
  await inPhase('connected');
  await page.ready();
  await page.press('nav-account');
  await shot('account-connected');
  await close();
  await twilio.close();
}

/** The pages of the rules, and what comes of them: callers who wait, and a message. */
async function drawRules(light) {
  const { page, simulator, close } = await openBrowser(sound.env, { light, viewport: NARROW });
  const shot = shooter(page, light);
  const show = (testid) =>
    page.driver.evaluate(
      'document.querySelector(arguments[0]).scrollIntoView({ block: "start" });',
      `[data-testid="${testid}"]`,
    );
  await page.ready();
  await page.press('do-not-disturb');
  await simulator.placeIncoming('+12025550113');
  await page.showLog();
  await until(
    'the message',
    async () => (await page.attribute('recording', 'data-status')) === 'completed',
    60_000,
  );
  await shot('message');
  await page.press('do-not-disturb');

  await page.press('nav-calls');
  await page.appears('limits');
  await shot('calls-page');

  await page.press('nav-incoming');
  await page.appears('preview');
  await shot('incoming-page');
  await page.press('hours-on');
  await page.appears('copy-all');
  await show('hours');
  await shot('incoming-hours');
  await page.press('discard-rules');
  await page.fill('case-open', 'menu');
  await page.fill('preview-keys', '1');
  await page.press('preview-play');
  await page.appears('preview-lines', 70_000);
  await show('preview-lines');
  await shot('incoming-preview');
  await page.fill('case-open', 'queue');
  await page.press('save-rules');
  await page.disappears('rules-bar');

  await page.showPad();
  await simulator.placeIncoming('+12025550101');
  await simulator.placeIncoming('+12025550100');
  await until('two callers to wait', () =>
    page.driver.evaluate(
      'return document.querySelectorAll(arguments[0]).length === 2;',
      '[data-testid="waiting"]',
    ),
  );
  await page.disappears('hint');
  await shot('queue');
  await close();
}

async function draw(light) {
  const { page, simulator, close } = await openBrowser(sound.env, { light, viewport: NARROW });
  const shot = shooter(page, light);
  const up = () => until('the call to be up', () => page.has('call-timer'), 15_000);
  const over = async () => {
    await page.press('hangup-button');
    await page.showPad();
  };
  await page.ready();
  await shot('dialer');

  // A few calls, so that the history has something to tell.
  await page.call('+12025550102');
  await page.showLog();
  await until('busy in the log', async () => (await page.log())[0]?.outcome === 'busy');
  const missed = await simulator.placeIncoming('+12025550107');
  await page.appears('answer-button');
  await shot('incoming');
  await simulator.hangUp(missed);
  await page.showLog();
  await until('missed in the log', async () => (await page.log())[0]?.outcome === 'missed');
  await simulator.placeIncoming('+12025550100');
  await page.appears('decline-button');
  await page.press('decline-button');
  await page.showPad();
  await page.call('+12025550105');
  await page.showLog();
  await until('failed in the log', async () => (await page.log())[0]?.outcome === 'failed');

  await page.showPad();
  await page.call('+12025550101');
  await page.appears('hangup-button');
  await shot('dialing');
  await up();
  await until('two seconds of call', async () =>
    /0:0[2-9]/.test((await page.text('call-timer')) ?? ''),
  );
  await shot('in-call');
  await page.press('mute-button');
  await page.press('keypad-button');
  await shot('in-call-keypad');
  await page.press('keypad-button');
  await over();

  await page.showLog();
  await until('answered in the log', async () => (await page.log())[0]?.outcome === 'answered');
  await shot('recents');
  await page.showPad();
  await page.enterNumber('202 555 01');
  await until('what is missing', async () => ((await page.text('number-problem')) ?? '') !== '');
  await shot('dialer-typing');
  await page.driver.resize(SMALLEST.width, SMALLEST.height);
  await shot('dialer-smallest');
  await page.enterNumber('');
  await page.driver.resize(WIDE.width, WIDE.height);
  await shot('wide');
  await page.driver.resize(NARROW.width, NARROW.height);
  await simulator.setFaults({ refuse_signalling: true });
  await simulator.cutSignalling();
  await until(
    'the light to change',
    async () => (await page.attribute('light-in', 'data-state')) === 'reconnecting',
  );
  await page.press('light-in');
  await shot('reconnecting');
  await close();
}
