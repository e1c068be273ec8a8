import { screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import * as accounts from './accounts';

const TOKEN = 'fedcba9876543210'.repeat(2);

beforeEach(openAnew);

describe('a locked account', () => {
  it('whose passphrase is forgotten can be started over with, once that is confirmed', async () => {
    await opened.openAccount(accounts.locked);
    await click('start-over');
    const card = by('start-over-card');
    expect(card.textContent).toMatch(/deleted.*stays as it is/);
    expect(document.activeElement?.textContent).toMatch(/forgotten passphrase/);
    await click('cancel-start-over');
    expect(screen.queryByTestId('start-over-card')).toBeNull();
    expect(document.activeElement).toBe(by('start-over'));
    expect(sent('forget_credentials')).toEqual([]);
    await click('start-over');
    await click('confirm-start-over');
    expect(sent('forget_credentials')).toHaveLength(1);
  });

  it('is not started over with where the keychain has the secrets', async () => {
    await opened.openAccount({ ...accounts.noKeychain, phase: 'locked' });
    by('vault-retry');
    expect(screen.queryByTestId('start-over')).toBeNull();
  });

  it('whose Auth Token is gone asks for it', async () => {
    await opened.openAccount(accounts.tokenLost);
    expect(by('account-error').textContent).toMatch(/Enter the Auth Token again/);
    expect(screen.queryByTestId('try-again')).toBeNull();
    expect(screen.queryByTestId('vault')).toBeNull();
    await fill('new-auth-token', TOKEN);
    await click('save-auth-token');
    expect(sent('replace_auth_token')).toEqual([{ text: TOKEN }]);
    expect(box('new-auth-token').value).toBe('');
    await opened.tell({ ...accounts.tokenLost, error: null });
    expect(screen.queryByTestId('auth-token')).toBeNull();
    by('opening');
  });

  it('whose Auth Token is gone for good can be forgotten, once that is confirmed', async () => {
    await opened.openAccount(accounts.tokenLost);
    await click('forget-here');
    expect(by('forget-here-card').textContent).toMatch(/written to a file/);
    expect(sent('forget_account')).toEqual([]);
    await click('confirm-forget-here');
    expect(sent('forget_account')).toHaveLength(1);
  });

  it('that could not be opened for another reason can be tried again', async () => {
    await opened.openAccount({
      ...accounts.tokenLost,
      error: { code: 'TunnelFailed', message: 'cloudflared is gone.', detail: null },
    });
    expect(screen.queryByTestId('opening')).toBeNull();
    await click('try-again');
    expect(sent('try_again')).toHaveLength(1);
  });

  it('is opened by the light that asks for its Auth Token', async () => {
    await opened.open(accounts.tokenLost, {
      lights: {
        calls_out: { state: 'ready', reason: null, repair: null },
        calls_in: { state: 'not_reachable', reason: 'It is gone.', repair: 'enter_auth_token' },
      },
    });
    await click('light-in');
    await click('light-in-repair');
    await waitFor(() => {
      expect(document.activeElement).toBe(by('new-auth-token'));
    });
  });
});

describe('secrets that cannot be read', () => {
  const { vault } = accounts.locked;
  const { error } = vault;

  it.each([
    'offline',
    'checking',
    'choosing',
    'settingUp',
    'disconnecting',
    'noKeychain',
    'locked',
  ] as const)(
    'can be opened while the account is %s, and their sentence is said once',
    async (at) => {
      await opened.openAccount({ ...accounts[at], vault, error });
      expect(screen.queryByTestId('account-error')).toBeNull();
      await fill('vault-passphrase', 'harbour lamp seven');
      await click('vault-unlock');
      expect(sent('unlock_vault')).toEqual([{ passphrase: 'harbour lamp seven' }]);
      await opened.tell({
        ...accounts[at],
        error: null,
        vault: { ...vault, ready: true, error: null },
      });
      expect(screen.queryByTestId('vault')).toBeNull();
    },
  );

  it('do not disturb an account that works without them', async () => {
    await opened.openAccount({ ...accounts.connected, vault });
    expect(screen.queryByTestId('vault')).toBeNull();
    await opened.tell({ ...accounts.connected, vault, error });
    by('vault-passphrase');
  });

  it('are shown by the light that asks for them, whatever the account says', async () => {
    await opened.open(
      { ...accounts.connected, vault },
      {
        lights: {
          calls_out: { state: 'not_reachable', reason: 'It is locked.', repair: 'unlock_vault' },
          calls_in: { state: 'ready', reason: null, repair: null },
        },
      },
    );
    await click('light-out');
    await click('light-out-repair');
    await waitFor(() => {
      expect(document.activeElement).toBe(by('vault-passphrase'));
    });
  });

  it('leave what failed for want of them to be tried again', async () => {
    await opened.openAccount({ ...accounts.setUpFailed, vault, error });
    await click('try-again');
    expect(sent('try_again')).toHaveLength(1);
  });
});

it.each(['setUpFailed', 'disconnecting'] as const)(
  'an Auth Token that was changed meanwhile is asked for while the account is %s',
  async (at) => {
    await opened.openAccount({ ...accounts[at], error: accounts.refused.error });
    await fill('new-auth-token', TOKEN);
    await click('save-auth-token');
    expect(sent('replace_auth_token')).toEqual([{ text: TOKEN }]);
  },
);
