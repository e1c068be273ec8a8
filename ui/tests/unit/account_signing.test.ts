import { screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountStatus, SigningView } from '../../src/host/bindings';
import { by, click, openAnew, opened, sent } from './account_page';
import * as accounts from './accounts';
import { refusal } from './program';

beforeEach(openAnew);

function signing(over: Partial<SigningView>): AccountStatus {
  const view: SigningView = {
    state: 'auth_token',
    under_way: false,
    offered: true,
    waiting: null,
    error: null,
    ...over,
  };
  return { ...accounts.connected, signing: view };
}

describe('what Twilio signs with', () => {
  it('is switched on, and told while Twilio learns it', async () => {
    await opened.openAccount(signing({}));
    expect(by('signing-state').textContent).toMatch(/The Auth Token signs/);
    expect(screen.queryByTestId('replace-shared-key')).toBeNull();
    expect(screen.queryByTestId('use-auth-token')).toBeNull();
    await click('use-shared-key');
    expect(sent('use_shared_key')).toEqual([{ on: true }]);
    await opened.tell(signing({ state: 'switching_on', under_way: true }));
    expect(by('signing-state').textContent).toMatch(/both are good/);
    expect(screen.queryByTestId('use-shared-key')).toBeNull();
    await click('use-auth-token');
    expect(sent('use_shared_key')).toEqual([{ on: true }, { on: false }]);
  });

  it('is replaced, but not while the last change is on its way', async () => {
    await opened.openAccount(signing({ state: 'shared_key', under_way: true }));
    await click('replace-shared-key');
    expect(sent('replace_shared_key')).toEqual([]);
    await opened.tell(signing({ state: 'shared_key' }));
    await click('replace-shared-key');
    expect(sent('replace_shared_key')).toHaveLength(1);
    await opened.tell(signing({ state: 'replacing', under_way: true }));
    expect(by('signing-state').textContent).toMatch(/the Auth Token is not/);
  });

  it('says that it is not offered, and offers no button then', async () => {
    await opened.openAccount(signing({ offered: false }));
    expect(by('signing-not-offered').textContent).toMatch(/does not offer/);
    expect(screen.queryByTestId('use-shared-key')).toBeNull();
    await opened.tell(signing({ offered: null }));
    expect(by('signing').textContent).toMatch(/not known yet/);
  });

  it('goes on where it stood still, and not before', async () => {
    const error = { code: 'TwilioFailed', message: 'It failed.', detail: null } as const;
    await opened.openAccount(signing({ state: 'replacing', under_way: true, error }));
    expect(screen.queryByTestId('sign-again')).toBeNull();
    await opened.tell(signing({ state: 'replacing', error }));
    await click('sign-again');
    expect(sent('use_shared_key')).toEqual([{ on: true }]);
    await opened.tell(signing({ state: 'switching_off', error }));
    expect(screen.queryByTestId('sign-again')).toBeNull();
  });

  it('can be given up where set-up fails for it', async () => {
    const step = { id: 'sign', title: 'Sign', state: 'failed', note: null } as const;
    const status = signing({ state: 'shared_key' });
    await opened.openAccount({ ...status, phase: 'setting_up', steps: [step] });
    await click('use-auth-token');
    expect(sent('use_shared_key')).toEqual([{ on: false }]);
  });

  it('can be given up where the account has lost the offer', async () => {
    await opened.openAccount(signing({ state: 'shared_key', offered: false }));
    await click('use-auth-token');
    expect(sent('use_shared_key')).toEqual([{ on: false }]);
  });

  it('says why it failed, and what is waited for', async () => {
    const error = {
      code: 'TwilioFailed',
      message: 'Another rule is there.',
      detail: null,
    } as const;
    await opened.openAccount(signing({ error, waiting: 'Twilio cannot be reached.' }));
    expect(by('signing-error').textContent).toMatch(/Another rule/);
    expect(by('signing').textContent).toMatch(/cannot be reached/);
    opened.program.answers.use_shared_key = () => refusal('The account is not in use yet.');
    await click('use-shared-key');
    expect(by('account-error').textContent).toMatch(/not in use yet/);
  });

  it('is not said before there is an account', async () => {
    await opened.openAccount({ ...accounts.connected, signing: null });
    expect(screen.queryByTestId('signing')).toBeNull();
  });

  it('tells what a temporary address costs', async () => {
    await opened.openAccount(signing({ state: 'shared_key' }));
    by('signing-temporary');
    const tunnel = accounts.connected.tunnel;
    if (!tunnel) throw new Error('it has a tunnel');
    const choice = { type: 'fixed', url: 'https://phone.example.com' } as const;
    await opened.tell({
      ...signing({ state: 'shared_key' }),
      tunnel: { ...tunnel, choice },
    });
    expect(screen.queryByTestId('signing-temporary')).toBeNull();
  });
});
