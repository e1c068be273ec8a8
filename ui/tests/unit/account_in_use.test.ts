import { screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountStatus, Repair } from '../../src/host/bindings';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import * as accounts from './accounts';
import { PlayedCall } from './line';
import { Opened } from './opened';
import { refusal } from './program';
import { ACCOUNT } from './stand_in';

const TOKEN = 'fedcba9876543210'.repeat(2);

beforeEach(openAnew);

describe('setting up', () => {
  it('shows each step and how far it is', async () => {
    await opened.openAccount(accounts.settingUp);
    expect(by('step-create_key').dataset.state).toBe('done');
    expect(by('step-line').dataset.state).toBe('running');
    expect(by('step-create_app').textContent).toMatch(/front-desk/);
    expect(screen.queryByTestId('try-again')).toBeNull();
  });

  it('shows a step that comes twice in one run twice', async () => {
    const [first] = accounts.settingUp.steps;
    if (!first) throw new Error('there are steps');
    const again = { ...first, state: 'running' } as const;
    await opened.openAccount({ ...accounts.settingUp, steps: [first, again] });
    const states = screen.getAllByTestId('step-create_key').map(({ dataset }) => dataset.state);
    expect(states).toEqual(['done', 'running']);
  });

  it('that failed can be tried again, or chosen anew without asking Twilio', async () => {
    await opened.openAccount(accounts.setUpFailed);
    expect(by('account-error').textContent).toMatch(/cloudflared stopped/);
    await click('try-again');
    expect(sent('try_again')).toHaveLength(1);
    await click('change-choices');
    await click('tunnel-ssh');
    await opened.tell({ ...accounts.setUpFailed, error: null });
    expect(box('tunnel-ssh').checked).toBe(true);
    await click('keep-account');
    by('setting-up');
    expect(sent('leave_choosing')).toEqual([]);
    expect(sent('repair')).toEqual([]);
    await click('change-choices');
    expect(box('tunnel-cloudflared_quick').checked).toBe(true);
    await click('set-up');
    expect(sent('set_up')).toEqual([{ choices: accounts.choosing.choices }]);
    by('setting-up');
  });

  it('can be left while it goes on, the first time and later', async () => {
    await opened.openAccount(accounts.settingUp);
    by('change-choices');
    expect(screen.queryByTestId('go-back')).toBeNull();
    await click('forget');
    expect(sent('forget_credentials')).toHaveLength(1);
    await opened.tell({ ...accounts.settingUp, connected: accounts.connected.connected });
    expect(screen.queryByTestId('forget')).toBeNull();
    await click('go-back');
    expect(sent('leave_choosing')).toHaveLength(1);
    await opened.tell(accounts.disconnecting);
    expect(screen.queryByTestId('change-choices')).toBeNull();
    await click('go-back');
    expect(sent('leave_choosing')).toHaveLength(2);
  });

  it('shows what the tunnel program says until the way is open', async () => {
    const { tunnel } = accounts.connected;
    await opened.openAccount({ ...accounts.settingUp, tunnel });
    expect(by('step-line').textContent).toMatch(/Registered tunnel connection/);
    const steps = accounts.settingUp.steps.map((step) => ({ ...step, state: 'done' }) as const);
    await opened.tell({ ...accounts.settingUp, tunnel, steps });
    expect(screen.queryByTestId('tunnel-log')).toBeNull();
  });

  it('that failed before this start looks at the account first', async () => {
    await opened.openAccount({ ...accounts.setUpFailed, inventory: null });
    await click('change-choices');
    expect(sent('repair')).toEqual([{ repair: 'choose_numbers' }]);
  });

  it('loads the page anew when the phone is another one, and says so', async () => {
    await opened.openAccount(accounts.settingUp);
    opened.program.event({ event: 'phone_changed' });
    expect(opened.program.reloads).toBe(1);
    const after = new Opened();
    document.body.innerHTML = '';
    await after.open(accounts.connected);
    expect(by('hint').textContent).toMatch(/account is connected/);
    expect(after.dialer.page).toBe('keypad');
    expect(window.sessionStorage.length).toBe(0);
  });

  it.each([
    [{ ...accounts.settingUp, connected: accounts.connected.connected }, /choices are in use/],
    [accounts.disconnecting, /disconnected/],
  ] as [AccountStatus, RegExp][])(
    'comes back to the account page after a change',
    async (was, said) => {
      await opened.openAccount(was);
      opened.program.event({ event: 'phone_changed' });
      const after = new Opened();
      document.body.innerHTML = '';
      await after.open(ACCOUNT);
      expect(after.dialer.page).toBe('account');
      expect(by('hint').textContent).toMatch(said);
    },
  );

  it('does not load the page anew in a call', async () => {
    await opened.openAccount(accounts.settingUp);
    const call = new PlayedCall();
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      call,
    );
    opened.program.event({ event: 'phone_changed' });
    expect(opened.program.reloads).toBe(0);
    call.happens({ type: 'canceled' });
    expect(opened.program.reloads).toBe(1);
  });
});

describe('a connected account', () => {
  it('is described, without its secrets', async () => {
    await opened.openAccount(accounts.connected);
    expect(by('connected').textContent).toMatch(/Harbour Dental/);
    expect(by('connected-sid').textContent).toBe(accounts.ACCOUNT_SID);
    expect(by('connected-rings').textContent).toMatch(/0143.*0187/);
    expect(by('connected-caller-id').textContent.trim()).toBe('+1 202-555-0143');
    expect(by('tunnel-light').dataset.state).toBe('up');
    expect(screen.queryByTestId('tunnel-try-now')).toBeNull();
  });

  it('copies its public address', async () => {
    await opened.openAccount(accounts.connected);
    await click('tunnel-copy');
    expect(opened.copied).toEqual([accounts.connected.tunnel?.url]);
    expect(by('hint').textContent).toBe('Copied.');
  });

  it('says how to copy where the page may not', async () => {
    opened.clipboard = undefined;
    await opened.openAccount(accounts.connected);
    await click('tunnel-copy');
    expect(by('hint').textContent).toMatch(/by hand/);
  });

  it('counts down to the next attempt, silently', async () => {
    const { tunnel } = accounts.restoring;
    if (!tunnel) throw new Error('there is a tunnel');
    const retry_at_ms = opened.clock.now() + 12_000;
    await opened.openAccount({ ...accounts.restoring, tunnel: { ...tunnel, retry_at_ms } });
    const retry = by('tunnel-retry');
    expect(retry.textContent).toBe('Next attempt in 12 s.');
    expect(retry.getAttribute('aria-live')).toBe('off');
    opened.clock.pass(5_000);
    await opened.settled();
    expect(retry.textContent).toBe('Next attempt in 7 s.');
    opened.clock.pass(20_000);
    await opened.settled();
    expect(retry.textContent).toBe('Next attempt now.');
    expect(opened.clock.waiting).toBe(0);
    await click('tunnel-try-now');
    expect(sent('repair')).toEqual([{ repair: 'restart_tunnel' }]);
  });

  it('counts down where the tunnel has stopped and is tried again by itself', async () => {
    await opened.openAccount(accounts.stopped);
    expect(by('tunnel-light').textContent).toMatch(/you have to do something/);
    expect(screen.queryByTestId('tunnel-retry')).toBeNull();
    const retry_at_ms = opened.clock.now() + 540_000;
    const { tunnel } = accounts.stopped;
    if (!tunnel) throw new Error('there is a tunnel');
    await opened.tell({ ...accounts.stopped, tunnel: { ...tunnel, retry_at_ms } });
    expect(by('tunnel-light').textContent).toMatch(/Stopped for now/);
    expect(by('tunnel-retry').textContent).toBe('Next attempt in 9 min.');
    opened.clock.pass(510_000);
    await opened.settled();
    expect(by('tunnel-retry').textContent).toBe('Next attempt in 30 s.');
  });

  it.each([
    ['change-numbers', 'choose_numbers', 'Numbers that ring here'],
    ['change-tunnel', 'change_tunnel', 'How Twilio reaches this computer'],
  ])('changes at %s what is chosen, and can leave it', async (button, repair, heading) => {
    await opened.openAccount(accounts.connected);
    await click(button);
    expect(sent('repair')).toEqual([{ repair }]);
    const { connected } = accounts.connected;
    await opened.tell({ ...accounts.checking, connected });
    expect(by('checking').textContent).toMatch(/Cancel/);
    await opened.tell({ ...accounts.choosing, connected });
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: heading }));
    expect(screen.queryByTestId('forget')).toBeNull();
    await click('keep-account');
    expect(sent('leave_choosing')).toHaveLength(1);
  });

  it('gets a new Auth Token', async () => {
    await opened.openAccount(accounts.connected);
    await click('replace-auth-token');
    expect(document.activeElement).toBe(by('new-auth-token'));
    await click('save-auth-token');
    expect(by('auth-token').textContent).toMatch(/Paste the new/);
    await fill('new-auth-token', ` ${TOKEN}`);
    await click('save-auth-token');
    expect(sent('replace_auth_token')).toEqual([{ text: TOKEN }]);
    expect(screen.queryByTestId('new-auth-token')).toBeNull();
  });

  it('says that its secrets are in an encrypted file, where they are', async () => {
    await opened.openAccount(accounts.connected);
    expect(screen.queryByTestId('secrets')).toBeNull();
    await opened.tell(accounts.sealed);
    expect(by('secrets').textContent).toMatch(/in an encrypted file/);
  });

  it('is disconnected after a look at what is put back', async () => {
    opened.program.answers.preview_disconnect = () => accounts.preview;
    await opened.openAccount(accounts.connected);
    await click('disconnect');
    expect(document.activeElement).toBe(by('disconnect-preview'));
    const rows = screen.getAllByTestId('restored-number').map((row) => row.textContent);
    expect(rows[0]).toMatch(/0143.*nowhere/);
    expect(rows[1]).toMatch(/left alone/);
    await click('cancel-disconnect');
    expect(screen.queryByTestId('disconnect-preview')).toBeNull();
    expect(document.activeElement).toBe(by('disconnect'));
    await click('disconnect');
    expect(box('delete-app').checked && box('delete-key').checked).toBe(true);
    await click('delete-key');
    await click('confirm-disconnect');
    expect(sent('disconnect')).toEqual([{ undo: { delete_app: true, delete_key: false } }]);
    await opened.tell(accounts.disconnecting);
    expect(by('step-restore').dataset.state).toBe('done');
  });

  it('that cannot be disconnected can be forgotten here, once that is confirmed', async () => {
    await opened.openAccount(accounts.disconnecting);
    expect(screen.queryByTestId('forget-here')).toBeNull();
    await opened.tell(accounts.disconnectFailed);
    by('try-again');
    by('go-back');
    await click('forget-here');
    expect(by('forget-here-card').textContent).toMatch(/nothing is put back.*written to a file/);
    await click('cancel-forget-here');
    expect(document.activeElement).toBe(by('forget-here'));
    expect(sent('forget_account')).toEqual([]);
    await click('forget-here');
    await click('confirm-forget-here');
    expect(sent('forget_account')).toHaveLength(1);
  });

  it('does not delete what is not there', async () => {
    opened.program.answers.preview_disconnect = () => ({ numbers: [], app: false, key: false });
    await opened.openAccount(accounts.connected);
    await click('disconnect');
    expect(screen.queryByTestId('delete-app')).toBeNull();
    await click('confirm-disconnect');
    expect(sent('disconnect')).toEqual([{ undo: { delete_app: false, delete_key: false } }]);
  });

  it('tells what the program refused', async () => {
    opened.program.answers.preview_disconnect = () => refusal('Twilio cannot be reached.');
    await opened.openAccount(accounts.connected);
    // As where a click does not give the focus to the button.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    await click('disconnect');
    expect(by('account-error').textContent).toMatch(/cannot be reached/);
    expect(document.activeElement?.textContent).toMatch(/cannot be reached/);
  });

  it('is not changed in a call, and says so', async () => {
    await opened.openAccount(accounts.connected);
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      new PlayedCall(),
    );
    await opened.settled();
    expect(by('account-in-call').textContent).toMatch(/in a call/);
    await click('change-numbers');
    await click('disconnect');
    expect(sent('repair')).toEqual([]);
    expect(sent('preview_disconnect')).toEqual([]);
    expect(by('hint').textContent).toMatch(/in a call/);
  });
});

describe('what was refused because of a call', () => {
  const BUSY = 'You are in a call. Hang up first: this would end it.';
  const ring = (): PlayedCall => {
    const call = new PlayedCall();
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      call,
    );
    return call;
  };

  it('is told of no longer when the call is over', async () => {
    opened.program.answers.repair = () => refusal(BUSY, 'Busy');
    await opened.openAccount(accounts.restoring);
    const call = ring();
    await click('tunnel-try-now');
    expect(by('account-error').textContent).toMatch(/in a call/);
    call.happens({ type: 'canceled' });
    await opened.settled();
    expect(screen.queryByTestId('account-error')).toBeNull();
  });

  it('is all that a call takes with it', async () => {
    opened.program.answers.repair = () => refusal('The program is not there.', 'TunnelFailed');
    await opened.openAccount(accounts.restoring);
    const call = ring();
    await click('tunnel-try-now');
    call.happens({ type: 'canceled' });
    await opened.settled();
    expect(by('account-error').textContent).toMatch(/is not there/);
  });
});

describe('a light', () => {
  const lights = (repair: Repair) =>
    ({
      lights: {
        calls_out: { state: 'ready', reason: null, repair: null },
        calls_in: { state: 'not_reachable', reason: 'Twilio was refused.', repair },
      },
    }) as const;

  it('that the program can repair has a button for it', async () => {
    await opened.open(accounts.connected, lights('restart_tunnel'));
    await click('light-in');
    expect(screen.queryByTestId('light-out-repair')).toBeNull();
    expect(by('light-in-repair').textContent).toBe('Restart the tunnel');
    await click('light-in-repair');
    expect(sent('repair')).toEqual([{ repair: 'restart_tunnel' }]);
    expect(opened.dialer.page).toBe('keypad');
  });

  it('whose repair would end a call waits for its end', async () => {
    await opened.open(accounts.connected, lights('run_set_up'));
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      new PlayedCall(),
    );
    await opened.settled();
    await click('light-in');
    expect(by('light-in-repair').getAttribute('aria-disabled')).toBe('true');
    expect(by('light-in-repair').title).toMatch(/^You are in a call/);
    await click('light-in-repair');
    expect(sent('repair')).toEqual([]);
  });

  it('that the agent has to repair leads to the place', async () => {
    await opened.open(accounts.connected, lights('enter_auth_token'));
    await click('light-in');
    await click('light-in-repair');
    expect(sent('repair')).toEqual([{ repair: 'enter_auth_token' }]);
    expect(opened.dialer.page).toBe('account');
    expect(opened.dialer.overlay).toBeNull();
    await waitFor(() => {
      expect(document.activeElement).toBe(by('new-auth-token'));
    });
  });

  it('that needs the passphrase leads to its field', async () => {
    await opened.open(accounts.locked, lights('unlock_vault'));
    await click('light-in');
    await click('light-in-repair');
    await waitFor(() => {
      expect(document.activeElement).toBe(by('vault-passphrase'));
    });
  });
});
