// @ts-check
// What a program says of an account in every phase, for the unit tests and, without a compiler, for
// the browser tests and the pictures.
import { ACCOUNT } from './stand_in.js';

/** @typedef {import('../../src/host/bindings').AccountStatus} AccountStatus */
/** @typedef {import('../../src/host/bindings').CredentialField} CredentialField */
/** @typedef {import('../../src/host/bindings').CredentialView} CredentialView */

export const ACCOUNT_SID = `AC${'0123456789abcdef'.repeat(2)}`;
export const FIRST = `PN${'1'.repeat(32)}`;
export const SECOND = `PN${'2'.repeat(32)}`;

/**
 * The credentials with some of them changed.
 *
 * @param {Partial<Record<CredentialField, Partial<CredentialView>>>} changed
 * @returns {CredentialView[]}
 */
export const credentials = (changed) =>
  ACCOUNT.credentials.map((view) => ({ ...view, ...changed[view.field] }));

const entered = credentials({
  account_sid: { value: ACCOUNT_SID, entered: true },
  auth_token: { entered: true },
});

/** @type {AccountStatus} */
export const wrongForm = {
  ...ACCOUNT,
  credentials: credentials({
    account_sid: {
      value: 'SK0123',
      entered: true,
      problem:
        'This is the SID of an API key. The Account SID begins with AC and has 34 characters.',
    },
    auth_token: { entered: true },
  }),
};

/** @type {AccountStatus} */
export const bothEntered = { ...ACCOUNT, credentials: entered };

/** @type {AccountStatus} */
export const refused = {
  ...bothEntered,
  error: {
    code: 'CredentialsRefused',
    message:
      'Twilio does not accept this Account SID with this Auth Token. Copy both again from the same account.',
    detail: 'HTTP 401, code 20003',
  },
};

/** @type {AccountStatus} */
export const offline = {
  ...bothEntered,
  phase: 'checking',
  waiting: 'Twilio cannot be reached. Check the network connection and try again.',
};

/** @type {AccountStatus} */
export const checking = { ...bothEntered, phase: 'checking' };

/** @type {AccountStatus} */
export const noKeychain = {
  ...ACCOUNT,
  vault: {
    kind: 'keychain',
    ready: false,
    error: {
      code: 'KeychainUnavailable',
      message:
        'This computer has no keychain service. Install and start one, such as GNOME Keyring, and try again.',
      detail: null,
    },
    file_possible: true,
  },
};

/** @type {AccountStatus} */
export const locked = {
  ...ACCOUNT,
  phase: 'locked',
  vault: {
    kind: 'file',
    ready: false,
    error: {
      code: 'KeychainUnavailable',
      message: 'The encrypted file is locked. Enter its passphrase.',
      detail: null,
    },
    file_possible: false,
  },
};

/** @type {AccountStatus} */
export const tokenLost = {
  ...ACCOUNT,
  phase: 'locked',
  error: {
    code: 'CredentialsRefused',
    message:
      'A saved secret is no longer there: it was deleted, or the keychain is another one than before. Enter the Auth Token again; the program makes itself a new key.',
    detail: null,
  },
};

/** @type {AccountStatus} */
export const choosing = {
  ...bothEntered,
  phase: 'choosing',
  inventory: {
    name: 'Harbour Dental',
    kind: 'full',
    standing: 'active',
    balance: '48.12 USD',
    balance_low: false,
    trial_limits: [],
    numbers: [
      {
        sid: FIRST,
        number: '+12025550143',
        formatted: '+1 202-555-0143',
        name: 'Front desk',
        voice: true,
        goes_to: 'nowhere',
        here: false,
        warning: null,
      },
      {
        sid: SECOND,
        number: '+12025550187',
        formatted: '+1 202-555-0187',
        name: '(202) 555-0187',
        voice: true,
        goes_to: 'hooks.example.com',
        here: false,
        warning:
          'Calls to this number are handled by hooks.example.com now. If they ring here, that stops.',
      },
      {
        sid: `PN${'3'.repeat(32)}`,
        number: '+12025550111',
        formatted: '+1 202-555-0111',
        name: 'Texts only',
        voice: false,
        goes_to: 'nowhere',
        here: false,
        warning: null,
      },
    ],
    verified: [{ number: '+442079460018', formatted: '+44 20 7946 0018', name: 'My mobile' }],
    countries: [
      {
        iso: 'LV',
        name: 'Latvia',
        ordinary: true,
        special: true,
        toll_fraud: true,
      },
      { iso: 'DE', name: 'Germany', ordinary: true, special: false, toll_fraud: false },
      { iso: 'US', name: 'United States', ordinary: true, special: false, toll_fraud: false },
      { iso: 'CU', name: 'Cuba', ordinary: false, special: false, toll_fraud: false },
    ],
    remarks: [],
  },
  choices: {
    caller_id: '+12025550143',
    ring: [FIRST],
    tunnel: { type: 'cloudflared_quick', program: null },
    fallback_url: null,
  },
  programs: [
    { name: 'cloudflared', path: '/usr/local/bin/cloudflared' },
    { name: 'ngrok', path: null },
    { name: 'ssh', path: '/usr/bin/ssh' },
  ],
};

/** @type {AccountStatus} */
export const trial = {
  ...choosing,
  inventory: {
    .../** @type {NonNullable<AccountStatus['inventory']>} */ (choosing.inventory),
    name: 'My first Twilio account',
    kind: 'trial',
    balance: '1.20 USD',
    balance_low: true,
    trial_limits: [
      'It can call only numbers that you have verified.',
      'Each call ends after 10 minutes.',
      'It ends 30 days after it was opened.',
    ],
    remarks: [
      'The TwiML App you entered belongs to another account, so a new one is made instead.',
    ],
  },
};

/** @type {AccountStatus} */
export const noNumbers = {
  ...trial,
  inventory: {
    .../** @type {NonNullable<AccountStatus['inventory']>} */ (trial.inventory),
    numbers: [],
    verified: [],
    remarks: [],
  },
  choices: {
    .../** @type {NonNullable<AccountStatus['choices']>} */ (choosing.choices),
    caller_id: null,
    ring: [],
  },
};

/** @type {AccountStatus} */
export const verifying = {
  ...choosing,
  caller_id_check: {
    number: '+447700900123',
    formatted: '+44 7700 900123',
    code: '493817',
    state: 'calling',
    error: null,
  },
};

/** @type {AccountStatus} */
export const settingUp = {
  ...choosing,
  phase: 'setting_up',
  steps: [
    { id: 'create_key', title: 'Make an API key for this computer', state: 'done', note: null },
    {
      id: 'create_app',
      title: 'Make a TwiML App for this computer',
      state: 'done',
      note: 'Kennex Dialer on front-desk (1a2b3c4d)',
    },
    { id: 'line', title: 'Open the way from Twilio', state: 'running', note: null },
    {
      id: 'bind',
      title: 'Let +1 202-555-0143 ring here',
      state: 'pending',
      note: null,
    },
  ],
};

/** @type {AccountStatus} */
export const setUpFailed = {
  ...settingUp,
  error: {
    code: 'TunnelFailed',
    message:
      'cloudflared stopped right after its start. Check that it is up to date and try again.',
    detail: 'exit code 1',
  },
  steps: settingUp.steps.map((step) =>
    step.id === 'line'
      ? { ...step, state: 'failed', note: 'cloudflared stopped right after its start.' }
      : step,
  ),
};

/** @type {AccountStatus} */
export const connected = {
  ...ACCOUNT,
  phase: 'connected',
  credentials: entered,
  connected: {
    name: 'Harbour Dental',
    account_sid: ACCOUNT_SID,
    kind: 'full',
    balance: '48.12 USD',
    rings: ['+1 202-555-0143', '+1 202-555-0187'],
    caller_id: '+1 202-555-0143',
    resource_name: 'Kennex Dialer on front-desk (1a2b3c4d)',
  },
  signing: { state: 'auth_token', under_way: false, offered: true, waiting: null, error: null },
  tunnel: {
    choice: { type: 'cloudflared_quick', program: null },
    light: 'up',
    url: 'https://quiet-harbour-example.trycloudflare.com',
    error: null,
    retry_at_ms: null,
    log: [
      'Registered tunnel connection connIndex=0 location=fra03',
      'Updated to new configuration',
    ],
  },
};

/** @type {AccountStatus} */
export const sealed = {
  ...connected,
  vault: { kind: 'file', ready: true, error: null, file_possible: true },
};

/** @type {AccountStatus} */
export const restoring = {
  ...connected,
  tunnel: {
    .../** @type {NonNullable<AccountStatus['tunnel']>} */ (connected.tunnel),
    light: 'restoring',
    error: {
      code: 'TunnelFailed',
      message: 'The address stopped answering. The tunnel is being started again.',
      detail: null,
    },
  },
};

/** @type {AccountStatus} */
export const stopped = {
  ...connected,
  tunnel: {
    .../** @type {NonNullable<AccountStatus['tunnel']>} */ (connected.tunnel),
    light: 'stopped',
    url: null,
    error: {
      code: 'TunnelFailed',
      message: 'cloudflared ended five times in a row. Check the network, or change the tunnel.',
      detail: null,
    },
  },
};

/** @type {import('../../src/host/bindings').DisconnectView} */
export const preview = {
  numbers: [
    { number: '+1 202-555-0143', goes_to: 'nowhere' },
    { number: '+1 202-555-0187', goes_to: null },
  ],
  app: true,
  key: true,
};

/** @type {AccountStatus} */
export const disconnecting = {
  ...connected,
  phase: 'disconnecting',
  steps: [
    { id: 'restore', title: 'Put +1 202-555-0143 back', state: 'done', note: null },
    { id: 'delete_app', title: 'Delete the TwiML App', state: 'running', note: null },
    { id: 'delete_key', title: 'Delete the API key', state: 'pending', note: null },
  ],
};

/** @type {AccountStatus} */
export const disconnectFailed = {
  ...disconnecting,
  error: {
    code: 'TwilioFailed',
    message: 'Twilio does not delete the TwiML App. Try again later.',
    detail: 'HTTP 500',
  },
  steps: disconnecting.steps.map((step) =>
    step.state === 'running' ? { ...step, state: 'failed' } : step,
  ),
};
