// The account page in every phase, and what leads to it.
import * as accounts from '../unit/accounts.js';

/** Scrolls so that `testid` is seen. */
const show = (page, testid) =>
  page.by(testid).evaluate((element) => element.scrollIntoView({ block: 'start' }));

export function accountScenes(practice) {
  /** @type {(account: object, act?: (page, program) => Promise<unknown>, over?: object) => unknown} */
  const scene = (account, act = async () => {}, over = {}) => [
    over,
    async (page, program) => {
      program.tell(account);
      await page.by('nav-account').click();
      await page.locator(`[data-phase=${account.phase}] [data-shown]`).waitFor();
      await act(page, program);
      await page.mouse.move(0, 0);
    },
  ];
  const choosingAt = (testid) => scene(accounts.choosing, (page) => show(page, testid));
  return {
    'account-card': [{ practice }, (page) => page.by('connect-card').scrollIntoViewIfNeeded()],
    'account-signing': scene(accounts.connected, (page) => show(page, 'signing')),
    'account-signing-on': scene(
      {
        ...accounts.connected,
        signing: {
          state: 'shared_key',
          under_way: false,
          offered: true,
          waiting: null,
          error: null,
        },
      },
      (page) => show(page, 'signing'),
    ),
    'account-none': scene(accounts.bothEntered, undefined, { practice }),
    'account-wrong': scene(accounts.wrongForm, undefined, { practice }),
    'account-refused': scene(accounts.refused, undefined, { practice }),
    'account-other-ways': scene(
      { ...accounts.noKeychain, vault: accounts.choosing.vault },
      async (page, program) => {
        program.imported = {
          filled: ['account_sid', 'auth_token', 'phone_number'],
          not_needed: ['TWILIO_TWIML_APP_SID: an app is made for this computer.'],
          problems: ['Line 9 could not be read: it has no equals sign.'],
        };
        await page.by('other-ways').locator('summary').first().click();
        await page.by('env-text').fill('A=B');
        await page.by('env-import').click();
        await page.by('import-report').waitFor();
        await show(page, 'import-report');
      },
    ),
    'account-no-keychain': scene(accounts.noKeychain, async (page) => {
      await page.by('vault-file').locator('summary').click();
      await page.by('vault-first').fill('harbour lamp seven');
    }),
    'account-locked': scene(accounts.locked),
    'account-start-over': scene(accounts.locked, (page) => page.by('start-over').click()),
    'account-token-lost': scene(accounts.tokenLost),
    'account-setting-up-locked': scene({
      ...accounts.setUpFailed,
      vault: accounts.locked.vault,
      error: accounts.locked.vault.error,
    }),
    'account-checking': scene(accounts.checking),
    'account-offline': scene(accounts.offline),
    'account-choosing': scene(accounts.choosing),
    'account-choosing-warning': scene(accounts.choosing, async (page) => {
      await page.by('number-+12025550187').click();
      await show(page, 'numbers');
    }),
    'account-choosing-caller-id': choosingAt('caller-id-card'),
    'account-choosing-tunnel': choosingAt('tunnel'),
    'account-choosing-ssh': scene(accounts.choosing, async (page) => {
      await page.by('tunnel-ssh').click();
      await page.by('set-up').click();
      await page.by('account-error').waitFor();
      await page.by('tunnel-destination').evaluate((e) => e.scrollIntoView({ block: 'center' }));
    }),
    'account-choosing-problems': scene(accounts.choosing, async (page) => {
      await page.by('tunnel-fixed').click();
      await page.by('set-up').click();
      await page.by('account-error').waitFor();
    }),
    'account-countries': scene(accounts.choosing, async (page) => {
      await page.by('countries').locator('summary').click();
      await show(page, 'countries');
    }),
    'account-trial': scene(accounts.trial),
    'account-no-numbers': scene(accounts.noNumbers),
    'account-verifying': scene(accounts.verifying, (page) => show(page, 'caller-id-card')),
    'account-setting-up': scene(accounts.settingUp),
    'account-set-up-failed': scene(accounts.setUpFailed),
    'account-connected': scene(accounts.connected),
    'account-tunnel-log': scene(accounts.connected, async (page) => {
      await page.by('tunnel-log').locator('summary').click();
      await show(page, 'tunnel-card');
    }),
    'account-restoring': scene(
      {
        ...accounts.restoring,
        tunnel: { ...accounts.restoring.tunnel, retry_at_ms: Date.now() + 3.6e6 },
      },
      (page) => show(page, 'tunnel-card'),
    ),
    'account-stopped': scene(
      {
        ...accounts.stopped,
        tunnel: { ...accounts.stopped.tunnel, retry_at_ms: Date.now() + 5e5 },
      },
      (page) => show(page, 'tunnel-card'),
    ),
    'account-secrets': scene(accounts.sealed, (page) => show(page, 'auth-token')),
    'account-token': scene(accounts.connected, async (page) => {
      await page.by('replace-auth-token').click();
      await show(page, 'auth-token');
    }),
    'account-disconnect': scene(accounts.connected, async (page, program) => {
      program.preview = accounts.preview;
      await page.by('disconnect').click();
      await page.by('disconnect-preview').waitFor();
      await show(page, 'disconnect-card');
    }),
    'account-disconnecting': scene(accounts.disconnecting),
    'account-disconnect-failed': scene(accounts.disconnectFailed, (page) =>
      page.by('forget-here').click(),
    ),
    'account-in-call': scene(accounts.connected, async (page, program) => {
      program.invite('+14155552671');
      await page.by('answer-button').waitFor();
      await page.waitForTimeout(300);
    }),
  };
}
