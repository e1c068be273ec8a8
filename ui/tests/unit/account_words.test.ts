import { describe, expect, it } from 'vitest';
import { strengthOf } from '../../src/account/passphrase';
import { readPaste } from '../../src/account/paste';
import { placeOf, shownIn } from '../../src/account/phases';
import { TUNNELS, TUNNEL_KINDS } from '../../src/account/draft';
import { ownName, tunnelField, until } from '../../src/views/account/words';
import * as accounts from './accounts';
import { ACCOUNT } from './stand_in';

const TOKEN = 'fedcba9876543210'.repeat(2);

describe('a paste', () => {
  it.each([
    `${accounts.ACCOUNT_SID} ${TOKEN}`,
    `Account SID\n${accounts.ACCOUNT_SID}\nAuth Token\n${TOKEN}\n`,
    `${TOKEN}\t${accounts.ACCOUNT_SID}`,
    `"${accounts.ACCOUNT_SID}","${TOKEN}"`,
  ])('of both values is told apart: %j', (text) => {
    expect(readPaste(text)).toEqual({ kind: 'both', sid: accounts.ACCOUNT_SID, token: TOKEN });
  });

  it.each([
    accounts.ACCOUNT_SID,
    TOKEN,
    `${TOKEN} ${TOKEN}`,
    `${accounts.ACCOUNT_SID} ${TOKEN} ${TOKEN}`,
    `${accounts.ACCOUNT_SID} SK${TOKEN}`,
    '',
  ])('of anything else is one value: %j', (text) => {
    expect(readPaste(text)).toEqual({ kind: 'one' });
  });

  it.each([
    `TWILIO_ACCOUNT_SID=${accounts.ACCOUNT_SID}\nTWILIO_AUTH_TOKEN=${TOKEN}`,
    `# mine\nexport TWILIO_AUTH_TOKEN = "${TOKEN}"`,
  ])('of a file is a file: %j', (text) => {
    expect(readPaste(text)).toEqual({ kind: 'env' });
  });
});

it.each([
  ['', 'short'],
  ['abcdefghi', 'short'],
  ['aaaaaaaaaaaaaaaaaaaaaaaa', 'weak'],
  ['abcdefghijkl', 'weak'],
  ['Harbour-7lamp', 'fair'],
  ['harbour lamp seven', 'fair'],
  ['Harbour lamp seven 7', 'strong'],
  ['harbour lamp seven kites', 'strong'],
])('the passphrase %j is %s', (passphrase, strength) => {
  expect(strengthOf(passphrase)).toBe(strength);
});

describe('what the page shows', () => {
  it.each([
    ['none', ACCOUNT, 'entry'],
    ['none, refused', accounts.refused, 'entry'],
    ['locked', accounts.locked, 'locked'],
    ['checking', accounts.checking, 'checking'],
    ['choosing', accounts.choosing, 'choosing'],
    ['choosing, nothing to choose from yet', { ...accounts.choosing, inventory: null }, 'checking'],
    ['setting up', accounts.settingUp, 'setting_up'],
    ['connected', accounts.connected, 'connected'],
    ['disconnecting', accounts.disconnecting, 'disconnecting'],
  ] as const)('when it is %s', (_name, status, shown) => {
    expect(shownIn(status, false)).toBe(shown);
  });

  it('is the choices once more after a set-up that failed', () => {
    expect(shownIn(accounts.setUpFailed, true)).toBe('choosing');
    expect(shownIn({ ...accounts.setUpFailed, inventory: null }, true)).toBe('setting_up');
    expect(shownIn(accounts.connected, true)).toBe('connected');
  });

  it('of a repair is the part where something has to be done', () => {
    expect(placeOf('restart_tunnel')).toBeNull();
    expect(placeOf('run_set_up')).toBeNull();
    expect(placeOf('change_tunnel')).toBe('tunnel');
    expect(placeOf('choose_numbers')).toBe('numbers');
    expect(placeOf('enter_auth_token')).toBe('token');
    expect(placeOf('unlock_vault')).toBe('vault');
  });
});

describe('words', () => {
  it('for the time until the next attempt', () => {
    expect(until(10_000, 10_000)).toBe('now');
    expect(until(10_001, 10_000)).toBe('in 1 s');
    expect(until(69_000, 10_000)).toBe('in 59 s');
    expect(until(70_000, 10_000)).toBe('in 1 min');
    expect(until(71_000, 10_000)).toBe('in 2 min');
  });

  it('for a number do not say it twice', () => {
    const formatted = '+1 202-555-0143';
    expect(ownName({ formatted, name: '(202) 555-0143' })).toBe('');
    expect(ownName({ formatted, name: '' })).toBe('');
    expect(ownName({ formatted, name: 'Front desk' })).toBe('Front desk');
  });

  it('for the fields of each way differ, and say which may stay empty', () => {
    for (const kind of TUNNEL_KINDS) {
      const { fields, optional } = TUNNELS[kind];
      const labels = fields.map((field) => tunnelField(kind, field).label);
      expect(new Set(labels).size).toBe(fields.length);
      const open = labels.filter((label) => label.endsWith('(optional)'));
      expect(open).toHaveLength(optional.length);
    }
    expect(tunnelField('command', 'arguments').about).toMatch(/\{port\}/);
  });
});
