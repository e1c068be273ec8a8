import { describe, expect, it } from 'vitest';
import { enabled } from '../../src/actions/actions';
import type { AccountState, ActionState } from '../../src/actions/app';
import { draftOf } from '../../src/account/draft';
import type { AccountStatus } from '../../src/host/bindings';
import type { Call } from '../../src/phone/state';
import * as accounts from './accounts';
import { ACCOUNT, SNAPSHOT } from './stand_in';
import { REST } from './states';

function state(status: AccountStatus, account: Partial<AccountState> = {}): ActionState {
  return {
    phone: { name: 'idle' },
    lights: SNAPSHOT.lights,
    text: '',
    inspection: null,
    lastNumber: null,
    practiceNumber: null,
    overlay: null,
    keypadOpen: false,
    hasOlderCalls: false,
    page: 'account',
    ...REST,
    account: {
      status,
      entering: [],
      doing: [],
      callerIdCheck: status.caller_id_check,
      draft: status.choices && draftOf(status.choices),
      ...account,
    },
  };
}

const inCall = (status: AccountStatus): ActionState => ({
  ...state(status),
  phone: { name: 'in-call', call: {} as Call },
});

describe('connecting', () => {
  const can = (of: ActionState) => enabled('check_account', of, {});

  it('needs both values, or both on their way', () => {
    expect(can(state(ACCOUNT))).toMatch(/Account SID and the Auth Token/);
    expect(can(state(accounts.bothEntered))).toBe(true);
    expect(can(state(ACCOUNT, { entering: ['account_sid'] }))).toMatch(/Auth Token/);
    expect(can(state(ACCOUNT, { entering: ['account_sid', 'auth_token'] }))).toBe(true);
  });

  it('needs a place for what was entered', () => {
    const { vault } = accounts.noKeychain;
    expect(can(state({ ...accounts.bothEntered, vault }))).toMatch(/cannot be kept yet/);
  });

  it('says what is wrong with one of them', () => {
    expect(can(state(accounts.wrongForm))).toMatch(/SID of an API key/);
  });

  it('is not done twice at a time', () => {
    expect(can(state(accounts.bothEntered, { doing: ['check'] }))).toMatch(/already/);
  });
});

describe('setting up', () => {
  const can = (of: ActionState) => enabled('set_up', of, {});
  const { inventory } = accounts.choosing;
  if (!inventory) throw new Error('the account was looked at');

  it('needs an account that was looked at, is active and has a number', () => {
    expect(can(state(accounts.choosing))).toBe(true);
    expect(can(state(ACCOUNT))).toMatch(/not told yet/);
    expect(can(state(accounts.noNumbers))).toMatch(/no number/);
    for (const standing of ['suspended', 'closed'] as const) {
      const stopped = { ...accounts.choosing, inventory: { ...inventory, standing } };
      expect(can(state(stopped))).toMatch(/stopped/);
    }
  });
});

it('in a call the account stays as it is', () => {
  const of = inCall(accounts.choosing);
  const undo = { delete_app: true, delete_key: true };
  const refused = [
    enabled('check_account', of, {}),
    enabled('set_up', of, {}),
    enabled('forget_credentials', of, {}),
    enabled('replace_auth_token', of, { text: '' }),
    enabled('use_encrypted_file', of, { passphrase: '' }),
    enabled('preview_disconnect', of, {}),
    enabled('disconnect', of, { undo }),
    enabled('change_account', of, { what: 'numbers' }),
    enabled('go_back', of, {}),
    enabled('forget_account', of, {}),
  ];
  for (const reason of refused) expect(reason).toMatch(/in a call/);
  expect(enabled('repair', of, { repair: 'run_set_up' })).toMatch(/in a call/);
  for (const ends of [accounts.setUpFailed, accounts.disconnecting]) {
    expect(enabled('try_again', inCall(ends), {})).toMatch(/in a call/);
    expect(enabled('try_again', state(ends), {})).toBe(true);
  }
  // What heals does not disturb a call, and neither does a note for later.
  expect(enabled('try_again', of, {})).toBe(true);
  expect(enabled('repair', of, { repair: 'restart_tunnel' })).toBe(true);
  expect(enabled('enter_credential', of, { field: 'account_sid', text: '' })).toBe(true);
});

it('only what was entered can be forgotten', () => {
  expect(enabled('forget_credentials', state(ACCOUNT), {})).toMatch(/Nothing/);
  expect(enabled('forget_credentials', state(accounts.bothEntered), {})).toBe(true);
  expect(enabled('forget_credentials', state(accounts.choosing), {})).toBe(true);
});

it('one number is verified at a time', () => {
  const number = '+442079460018';
  expect(enabled('verify_caller_id', state(accounts.choosing), { number })).toBe(true);
  expect(enabled('verify_caller_id', state(accounts.verifying), { number })).toMatch(/being/);
  // What was put aside is in nobody's way.
  const aside = state(accounts.verifying, { callerIdCheck: null });
  expect(enabled('verify_caller_id', aside, { number })).toBe(true);
});
