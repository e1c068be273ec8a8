// The pages about the rules of calls in a real browser: what jsdom cannot show.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { BUSY_OFFICE, RULES } from '../unit/rules.js';
import { closeBrowser, open } from './page.js';
import { Program } from './program.js';

let program;
let page;

beforeEach(async () => {
  program = await new Program().listen();
  program.rules = { ...RULES, rules: structuredClone(BUSY_OFFICE) };
  page = await open(program, { viewport: { width: 360, height: 560 } });
  await program.command('report_device');
});

afterEach(async () => {
  await page.context().close();
  await program.close();
});

after(closeBrowser);

/** What sticks out of the window or of what it stands in. */
const overflow = () =>
  page.evaluate(() => {
    const wide = [document.documentElement, ...document.querySelectorAll('aside, aside *')];
    return wide
      .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
      .filter((element) => !element.matches('.unseen, pre, input, select, textarea'))
      .map((element) => element.outerHTML.slice(0, 120));
  });

for (const nav of ['calls', 'incoming']) {
  test(`nothing sticks out of the ${nav} page in the narrowest window`, async () => {
    await page.by(`nav-${nav}`).click();
    await page.by('reset-rules').waitFor();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('aside details')) details.open = true;
    });
    if (nav === 'calls') await page.by('emergency-read').click();
    assert.deepEqual(await overflow(), []);
    assert.deepEqual(page.faults, []);
  });
}

test('a menu as deep as it may be fits into the narrowest window', async () => {
  await page.by('nav-incoming').click();
  for (const at of ['menu-1', 'menu-11', 'menu-111', 'menu-1111']) {
    await page.by(`${at}-leads`).selectOption('page');
  }
  assert.equal(await page.by('menu-11111-label').isVisible(), true);
  assert.deepEqual(await overflow(), []);
});

test('the buttons that save stay in view, and a problem is gone to from the top', async () => {
  await page.by('nav-incoming').click();
  await page.by('most-waiting').fill('');
  const bar = await page.by('rules-bar').boundingBox();
  assert.ok(bar.y + bar.height <= 560, JSON.stringify(bar));
  await page.by('rules-problems').getByRole('button').click();
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  assert.equal(focused, 'most-waiting');
  await page.by('most-waiting').fill('5');
  await page.by('save-rules').click();
  const { rules } = await program.command('save_rules');
  assert.equal(rules.incoming.queue.most_waiting, 5);
  await page.by('rules-bar').waitFor({ state: 'detached' });
});

test('the week is filled in with the keyboard alone', async () => {
  await page.by('nav-incoming').click();
  await page.by('day-1-from-0').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('8.30');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.by('save-rules').click();
  const { rules } = await program.command('save_rules');
  assert.deepEqual(rules.incoming.hours.week[1], [{ from: 510, to: 1005 }]);
});

test('a question before a call holds the focus, and Escape answers no', async () => {
  program.permit = {
    type: 'ask',
    question: { region: 'FR', country: 'France' },
    price_per_minute: { micros: 20_000, currency: 'USD' },
  };
  await page.by('number-input').fill('+33199001234');
  await page.keyboard.press('Enter');
  await page.by('ask-country').waitFor();
  for (let turn = 0; turn < 5; turn += 1) {
    await page.keyboard.press('Tab');
    const inside = await page.evaluate(
      () => document.activeElement?.closest('[role=dialog]') !== null,
    );
    assert.ok(inside);
  }
  await page.keyboard.press('Escape');
  await page.by('ask-country').waitFor({ state: 'detached' });
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  assert.equal(focused, 'number-input');
  assert.equal(program.commands.filter(([name]) => name === 'report_call').length, 0);
});

test('a recording is heard, under the content security policy', async () => {
  await page.by('nav-incoming').click();
  await page.by('greeting-sound-play').click();
  const player = page.by('greeting-sound-player');
  await player.waitFor();
  await page.waitForFunction(
    (audio) => Number.isFinite(audio.duration) && audio.duration > 0.4,
    await player.elementHandle(),
  );
  assert.deepEqual(page.faults, []);
});

test('a caller is taken out of the queue', async () => {
  program.event('queue_changed', {
    waiting: [{ peer: '+14155552671', formatted: '+1 415-555-2671', since_ms: Date.now() }],
  });
  await page.by('take-next').click();
  const asked = await program.command('prepare_call');
  assert.equal(asked.to, 'queue:');
  const { payload } = await program.frame('invite').then((payload) => ({ payload }));
  assert.match(JSON.stringify(payload), /queue/);
});
