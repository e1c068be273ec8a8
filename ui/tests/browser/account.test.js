// The account page in a real browser: what jsdom cannot show.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import * as accounts from '../unit/accounts.js';
import { closeBrowser, open } from './page.js';
import { Program } from './program.js';

let program;
let page;

beforeEach(async () => {
  program = await new Program().listen();
  page = await open(program);
  await program.command('report_device');
});

afterEach(async () => {
  await page.context().close();
  await program.close();
});

after(closeBrowser);

const shows = (phase) => page.locator(`[data-phase="${phase}"] [data-shown]`).waitFor();

/** Whether something sticks out of the window or of what it stands in. */
const overflow = () =>
  page.evaluate(() => {
    const wide = [document.documentElement, ...document.querySelectorAll('aside, aside *')];
    return wide
      .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
      .filter((element) => !element.matches('.unseen, pre, input, select'))
      .map((element) => element.outerHTML.slice(0, 120));
  });

test('a new phone is loaded anew, with the secret of the tab', async () => {
  await page.by('nav-account').click();
  program.tell(accounts.settingUp);
  await shows('setting_up');
  program.account = accounts.connected;
  const asked = program.commands.length;
  program.event('phone_changed');
  await page.by('hint').waitFor();
  assert.match(await page.by('hint').textContent(), /account is connected/);
  const names = program.commands.slice(asked).map(([name]) => name);
  assert.ok(names.includes('snapshot') && names.includes('report_device'), String(names));
  await page.by('nav-account').click();
  await shows('connected');
  assert.deepEqual(page.faults, []);
});

test('both values pasted at once leave for the program and the token from the page', async () => {
  const token = 'fedcba9876543210'.repeat(2);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.by('nav-account').click();
  await page.evaluate(
    (text) => navigator.clipboard.writeText(text),
    `${accounts.ACCOUNT_SID} ${token}`,
  );
  await page.by('credential-auth_token').focus();
  await page.keyboard.press('Control+V');
  const both = [
    await program.command('enter_credential', ({ field }) => field === 'account_sid'),
    await program.command('enter_credential', ({ field }) => field === 'auth_token'),
  ];
  assert.deepEqual(
    both.map(({ text }) => text),
    [accounts.ACCOUNT_SID, token],
  );
  program.tell(accounts.bothEntered);
  await page.by('credential-auth_token-entered').waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!(await page.content()).includes(token) && !stored.includes(token));
});

test('everything can be done by keyboard, from the values to setting up', async () => {
  await page.by('nav-account').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  program.account = {
    ...accounts.bothEntered,
    credentials: accounts.credentials({
      account_sid: { value: accounts.ACCOUNT_SID, entered: true },
    }),
  };
  await page.keyboard.type(accounts.ACCOUNT_SID);
  await page.keyboard.press('Tab');
  await page.keyboard.type('fedcba9876543210'.repeat(2));
  program.account = accounts.bothEntered;
  await page.keyboard.press('Enter');
  await program.command('check_account');
  program.tell(accounts.checking);
  await shows('checking');
  program.tell(accounts.choosing);
  await shows('choosing');
  // The focus was on what is gone: it begins anew at the head of the page.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  for (let i = 0; i < 40; i += 1) {
    if (await page.by('set-up').evaluate((button) => button === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  const { choices } = await program.command('set_up');
  assert.deepEqual(choices, { ...accounts.choosing.choices, ring: [] });
});

for (const [name, account] of Object.entries(accounts)) {
  if (typeof account !== 'object' || !('phase' in account)) continue;
  test(`${name} fits a window of 360 × 560`, async () => {
    await page.setViewportSize({ width: 360, height: 560 });
    program.tell(account);
    await page.by('nav-account').click();
    await shows(account.phase);
    for (const summary of await page.locator('aside details > summary').all())
      await summary.click();
    assert.deepEqual(await overflow(), []);
    // Nothing of what is only read out makes the window itself scroll.
    const scrolls = await page.evaluate(() => {
      window.scrollTo(0, 1e6);
      return window.scrollY + document.body.scrollTop;
    });
    assert.equal(scrolls, 0);
  });
}
