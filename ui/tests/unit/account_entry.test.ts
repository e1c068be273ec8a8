import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CredentialField } from '../../src/host/bindings';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import * as accounts from './accounts';
import { refusal } from './program';
import { ACCOUNT } from './stand_in';

const TOKEN = 'fedcba9876543210'.repeat(2);

beforeEach(openAnew);

async function paste(testid: string, text: string): Promise<void> {
  const event = new Event('paste', { bubbles: true, cancelable: true });
  Object.assign(event, { clipboardData: { getData: () => text } });
  by(testid).focus();
  const taken = !by(testid).dispatchEvent(event);
  // What the browser does with a paste that nobody takes.
  if (!taken) await fill(testid, text);
  await opened.settled();
}

/** A program that takes in what is entered, as the real one does. */
function keeping(): void {
  opened.program.answers.enter_credential = ({
    field,
    text,
  }: {
    field: CredentialField;
    text: string;
  }) => {
    const secret = field === 'auth_token';
    opened.program.account = {
      ...opened.program.account,
      credentials: opened.program.account.credentials.map((view) =>
        view.field === field
          ? { ...view, entered: text !== '', value: secret || text === '' ? null : text }
          : view,
      ),
    };
    opened.program.event({ event: 'account_changed', data: opened.program.account });
  };
}

describe('the way in', () => {
  it('is a card among the practice numbers', async () => {
    const far_ends = [{ number: '+12025550100', formatted: '+1 202-555-0100', does: 'Answers' }];
    await opened.open(ACCOUNT, { practice: { far_ends } });
    await click('connect-account');
    expect(by('account-phase').dataset.phase).toBe('none');
    expect(by('nav-account').getAttribute('aria-current')).toBe('page');
    expect(by('connect-account').textContent).toBe('Connect an account');
    await opened.tell(accounts.choosing);
    expect(by('connect-account').textContent).toBe('Go on connecting');
  });

  it('is a page of its own, with and without practice mode', async () => {
    await opened.open(accounts.connected);
    expect(screen.queryByTestId('connect-card')).toBeNull();
    await click('nav-account');
    screen.getByRole('heading', { name: 'Account' });
    by('connected');
  });

  it('that cannot be had says so and can be tried again', async () => {
    opened.program.answers.account_status = () => refusal('Not now.');
    await opened.openAccount(ACCOUNT);
    screen.getByText('Not now.');
    delete opened.program.answers.account_status;
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await opened.settled();
    by('entry');
  });

  it('shows what is heard rather than an answer that was on its way', async () => {
    opened.program.answers.account_status = async () => {
      await new Promise((resume) => setTimeout(resume));
      opened.program.event({ event: 'account_changed', data: accounts.connected });
      return ACCOUNT;
    };
    await opened.openAccount(ACCOUNT);
    by('connected');
  });
});

describe('entering', () => {
  it('takes the two values and connects', async () => {
    await opened.openAccount(ACCOUNT);
    keeping();
    expect(by('connect').getAttribute('aria-disabled')).toBe('true');
    expect(by('connect').title).toMatch(/Account SID and the Auth Token/);
    await fill('credential-account_sid', ` ${accounts.ACCOUNT_SID} `);
    await fireEvent.change(by('credential-account_sid'));
    await fill('credential-auth_token', TOKEN);
    // Not on each key: the token leaves the page once, when it is whole.
    expect(sent('enter_credential')).toHaveLength(1);
    expect(by('connect').getAttribute('aria-disabled')).toBe('false');
    await fireEvent.change(by('credential-auth_token'));
    await opened.settled();
    expect(sent('enter_credential')).toEqual([
      { field: 'account_sid', text: accounts.ACCOUNT_SID },
      { field: 'auth_token', text: TOKEN },
    ]);
    await click('connect');
    expect(sent('check_account')).toHaveLength(1);
  });

  it('connects at once although the last value is still on its way', async () => {
    await opened.openAccount(ACCOUNT);
    keeping();
    await fill('credential-account_sid', accounts.ACCOUNT_SID);
    await fireEvent.change(by('credential-account_sid'));
    await fill('credential-auth_token', TOKEN);
    void fireEvent.change(by('credential-auth_token'));
    void fireEvent.click(by('connect'));
    await opened.settled();
    const order = opened.program.calls.map(([name]) => name);
    expect(order.indexOf('check_account')).toBeGreaterThan(order.lastIndexOf('enter_credential'));
  });

  it('connects by Enter in the last field', async () => {
    await opened.openAccount(ACCOUNT);
    keeping();
    await fill('credential-account_sid', accounts.ACCOUNT_SID);
    await fireEvent.keyDown(by('credential-account_sid'), { key: 'Enter' });
    expect(sent('check_account')).toEqual([]);
    await fill('credential-auth_token', TOKEN);
    await fireEvent.keyDown(by('credential-auth_token'), { key: 'Enter' });
    await opened.settled();
    expect(sent('check_account')).toHaveLength(1);
    expect(opened.line.placed).toHaveLength(0);
  });

  it('keeps no secret in the page and never shows one', async () => {
    await opened.openAccount(ACCOUNT);
    keeping();
    const field = box('credential-auth_token');
    expect(field.type).toBe('password');
    expect(field.autocomplete).toBe('off');
    await fill('credential-auth_token', TOKEN);
    field.focus();
    await fireEvent.change(field);
    expect(field.value).toBe('');
    await opened.settled();
    expect(screen.queryByTestId('credential-auth_token')).toBeNull();
    expect(by('credential-auth_token-entered').textContent).toBe('Entered');
    expect(JSON.stringify(opened.dialer.account.status)).not.toContain(TOKEN);
    await click('credential-auth_token-replace');
    expect(box('credential-auth_token').value).toBe('');
    expect(document.activeElement).toBe(by('credential-auth_token'));
    // Left without entering anything: the one that is there stays.
    await fireEvent.change(by('credential-auth_token'));
    await opened.settled();
    by('credential-auth_token-entered');
    expect(sent('enter_credential')).toHaveLength(1);
  });

  it.each(['credential-account_sid', 'credential-auth_token'])(
    'fills both fields from one paste into %s, and Enter connects',
    async (into) => {
      await opened.openAccount(ACCOUNT);
      keeping();
      await paste(into, `${accounts.ACCOUNT_SID}\n${TOKEN}`);
      expect(sent('enter_credential')).toEqual([
        { field: 'account_sid', text: accounts.ACCOUNT_SID },
        { field: 'auth_token', text: TOKEN },
      ]);
      expect(box('credential-account_sid').value).toBe(accounts.ACCOUNT_SID);
      by('credential-auth_token-entered');
    },
  );

  it('enters a pasted token at once and leaves the focus on Connect', async () => {
    await opened.openAccount(ACCOUNT);
    keeping();
    await paste('credential-account_sid', accounts.ACCOUNT_SID);
    await paste('credential-auth_token', TOKEN);
    expect(sent('enter_credential')).toHaveLength(2);
    expect(document.activeElement).toBe(by('connect'));
  });

  it('puts each of the two values where it belongs when they are swapped', async () => {
    await opened.openAccount(ACCOUNT);
    await fill('credential-account_sid', TOKEN);
    by('credential-auth_token').focus();
    await fireEvent.change(by('credential-account_sid'));
    expect(document.activeElement).toBe(by('credential-account_sid'));
    await opened.settled();
    await fill('credential-auth_token', accounts.ACCOUNT_SID);
    await fireEvent.change(by('credential-auth_token'));
    await opened.settled();
    expect(sent('enter_credential')).toEqual([
      { field: 'auth_token', text: TOKEN },
      { field: 'account_sid', text: accounts.ACCOUNT_SID },
    ]);
    expect(document.body.innerHTML).not.toContain(TOKEN);
    expect(box('credential-account_sid').value).toBe('');
  });

  it('says beneath the field what is wrong with it', async () => {
    await opened.openAccount(accounts.wrongForm);
    const field = box('credential-account_sid');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    const about = field.getAttribute('aria-describedby') ?? '';
    expect(document.getElementById(about)?.textContent.trim()).toMatch(/SID of an API key/);
    expect(by('connect').title).toMatch(/SID of an API key/);
  });

  it('asks again for a secret of the wrong form', async () => {
    const credentials = accounts.credentials({
      auth_token: { entered: true, problem: 'An Auth Token has 32 characters.' },
    });
    await opened.openAccount({ ...ACCOUNT, credentials });
    expect(box('credential-auth_token').value).toBe('');
    expect(by('credential-auth_token-problem').textContent).toMatch(/32 characters/);
  });

  it('clears a field that is emptied, even one whose text is not shown again', async () => {
    await opened.openAccount({
      ...ACCOUNT,
      credentials: accounts.credentials({
        account_sid: { entered: true, problem: 'That is no SID.' },
      }),
    });
    await fireEvent.change(by('credential-account_sid'));
    expect(sent('enter_credential')).toEqual([{ field: 'account_sid', text: '' }]);
  });

  it('tells at the field why the program did not take it', async () => {
    await opened.openAccount(ACCOUNT);
    opened.program.answers.enter_credential = () => refusal('That is too long.');
    await fill('credential-account_sid', 'AC');
    await fireEvent.change(by('credential-account_sid'));
    await opened.settled();
    expect(by('credential-account_sid-problem').textContent).toMatch(/too long/);
  });

  it('shows why Twilio refused, with the focus on it', async () => {
    await opened.openAccount(accounts.bothEntered);
    by('connect').focus();
    await opened.tell(accounts.refused);
    const alert = screen.getAllByRole('alert').find((each) => each.textContent !== '');
    expect(alert?.textContent).toMatch(/does not accept/);
    expect(document.activeElement).toBe(alert);
  });

  it('can be repeated when the same values may do the next time', async () => {
    await opened.openAccount(accounts.refused);
    expect(screen.queryByTestId('try-again')).toBeNull();
    await opened.tell({
      ...accounts.bothEntered,
      error: { code: 'AccountNotActive', message: 'Add funds and try again.', detail: null },
    });
    await click('try-again');
    expect(sent('try_again')).toHaveLength(1);
  });

  it('is forgotten on demand', async () => {
    await opened.openAccount(ACCOUNT);
    expect(screen.queryByTestId('forget')).toBeNull();
    await opened.tell(accounts.bothEntered);
    await click('forget');
    expect(sent('forget_credentials')).toHaveLength(1);
  });

  it('does not give its keys to the phone', async () => {
    await opened.openAccount(ACCOUNT);
    const field = by('credential-account_sid');
    field.focus();
    for (const key of ['5', '?', 'Backspace']) {
      expect(await fireEvent.keyDown(field, { key })).toBe(true);
    }
    field.blur();
    await fireEvent.keyDown(document.body, { key: '5' });
    expect(opened.dialer.field.text).toBe('');
    expect(opened.dialer.page).toBe('account');
    const event = new Event('paste', { bubbles: true });
    Object.assign(event, { clipboardData: { getData: () => '+12025550100' } });
    document.body.dispatchEvent(event);
    expect(opened.dialer.field.text).toBe('');
  });
});

describe('a .env file', () => {
  const TEXT = `TWILIO_ACCOUNT_SID=${accounts.ACCOUNT_SID}\nTWILIO_AUTH_TOKEN=${TOKEN}\nOTHER`;
  const report = {
    filled: ['account_sid', 'auth_token'],
    not_needed: ['PORT: the program finds a free one.'],
    problems: ['Line 3 could not be read.'],
  };

  beforeEach(async () => {
    opened.program.answers.import_env = () => report;
    await opened.openAccount(ACCOUNT);
  });

  const read = () => by('import-report').textContent;

  it('is read from a paste into the two fields', async () => {
    await paste('credential-account_sid', TEXT);
    expect(sent('import_env')).toEqual([{ text: TEXT }]);
    expect(read()).toMatch(/Account SID, Auth Token/);
    expect(read()).toMatch(/Line 3/);
    expect(read()).toMatch(/finds a free one/);
  });

  it('is read from its own field, which is emptied', async () => {
    await paste('env-text', TEXT);
    expect(sent('import_env')).toEqual([{ text: TEXT }]);
    expect((by('env-text') as HTMLTextAreaElement).value).toBe('');
    await fill('env-text', 'A=B');
    await click('env-import');
    expect(sent('import_env')).toHaveLength(2);
    expect((by('env-text') as HTMLTextAreaElement).value).toBe('');
    await click('env-import');
    expect(sent('import_env')).toHaveLength(2);
    expect(by('hint').textContent).toMatch(/Paste the text/);
  });

  it('is read from a file that is chosen or dropped', async () => {
    const file = new File([TEXT], '.env');
    await fireEvent.change(by('env-file'), { target: { files: [file] } });
    await opened.settled();
    await fireEvent.drop(by('env-drop'), { dataTransfer: { files: [file] } });
    await opened.settled();
    expect(sent('import_env')).toEqual([{ text: TEXT }, { text: TEXT }]);
  });

  it('is not read when it is far too large', async () => {
    const file = new File(['x'.repeat(70_000)], '.env');
    await fireEvent.drop(by('env-drop'), { dataTransfer: { files: [file] } });
    await opened.settled();
    expect(sent('import_env')).toEqual([]);
    expect(by('hint').textContent).toMatch(/too large/);
  });

  it('says when nothing in it could be used', async () => {
    opened.program.answers.import_env = () => ({ filled: [], not_needed: [], problems: [] });
    await paste('env-text', 'HOME=/root');
    expect(read()).toMatch(/Nothing in this file/);
  });
});

describe('without a network', () => {
  it('waits, says what is kept, and can be hurried', async () => {
    const credentials = accounts.credentials({
      account_sid: { value: accounts.ACCOUNT_SID, entered: true },
    });
    await opened.openAccount({ ...accounts.offline, credentials });
    expect(by('account-waiting').textContent).toMatch(/goes on by itself/);
    expect(by('account-waiting').textContent).toMatch(/Account SID, Auth Token/);
    await click('try-now');
    expect(sent('try_again')).toHaveLength(1);
    await click('forget');
    expect(sent('forget_credentials')).toHaveLength(1);
  });
});

describe('the vault', () => {
  it('that is missing can be tried again or be replaced by a file', async () => {
    await opened.openAccount(accounts.noKeychain);
    expect(by('vault-error').textContent).toMatch(/no keychain service/);
    await click('vault-retry');
    expect(sent('unlock_vault')).toEqual([{ passphrase: null }]);

    await fill('vault-first', 'short');
    await click('vault-use-file');
    expect(by('vault-file').textContent).toMatch(/too short/);
    expect(document.activeElement).toBe(by('vault-first'));
    await fill('vault-first', 'harbour lamp seven');
    expect(document.querySelector('[data-strength=fair]')).not.toBeNull();
    await fill('vault-second', 'harbour lamp eight');
    await click('vault-use-file');
    expect(by('vault-file').textContent).toMatch(/not the same/);
    expect(box('vault-second').value).toBe('');
    expect(sent('use_encrypted_file')).toEqual([]);
    await fill('vault-second', 'harbour lamp seven');
    await click('vault-use-file');
    expect(sent('use_encrypted_file')).toEqual([{ passphrase: 'harbour lamp seven' }]);
    expect(box('vault-first').value + box('vault-second').value).toBe('');
  });

  it('that is a locked file asks for its passphrase', async () => {
    await opened.openAccount(accounts.locked);
    await click('vault-unlock');
    expect(by('vault').textContent).toMatch(/Enter the passphrase/);
    await fill('vault-passphrase', ' with spaces ');
    await click('vault-unlock');
    expect(sent('unlock_vault')).toEqual([{ passphrase: ' with spaces ' }]);
    expect(box('vault-passphrase').value).toBe('');
  });

  it('says its sentence once', async () => {
    const { error } = accounts.locked.vault;
    await opened.openAccount({ ...accounts.locked, error });
    expect(screen.queryByTestId('account-error')).toBeNull();
    by('vault-error');
  });
});
