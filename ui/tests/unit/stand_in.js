// @ts-check
// What a program in good order says, for the unit tests and, without a compiler, for the browser
// tests.

/** @type {Readonly<import('../../src/host/bindings').Snapshot>} */
export const SNAPSHOT = {
  agent: {
    name: 'Albert',
    identity: 'albert',
    caller_id: '+442079460018',
    caller_id_formatted: '+44 20 7946 0018',
    caller_ids: [{ number: '+442079460018', formatted: '+44 20 7946 0018' }],
  },
  signalling: { type: 'practice', host: '127.0.0.1:1' },
  native_voice: 'fallback',
  lights: {
    calls_out: { state: 'ready', reason: null, repair: null },
    calls_in: { state: 'ready', reason: null, repair: null },
  },
  notices: [],
  practice: null,
  call_log: { entries: [], next: null },
  do_not_disturb: false,
  queue: { waiting: [] },
};

const FIELDS = /** @type {const} */ ([
  'account_sid',
  'auth_token',
  'api_key',
  'api_secret',
  'phone_number',
  'twiml_app_sid',
  'backend_url',
  'tunnel_token',
]);

/**
 * No account, and nothing entered.
 *
 * @type {Readonly<import('../../src/host/bindings').AccountStatus>}
 */
export const ACCOUNT = {
  phase: 'none',
  waiting: null,
  error: null,
  credentials: FIELDS.map((field) => ({ field, value: null, entered: false, problem: null })),
  inventory: null,
  choices: null,
  steps: [],
  caller_id_check: null,
  connected: null,
  signing: null,
  tunnel: null,
  vault: { kind: 'keychain', ready: true, error: null, file_possible: false },
  programs: [
    { name: 'cloudflared', path: null },
    { name: 'ngrok', path: null },
    { name: 'ssh', path: '/usr/bin/ssh' },
  ],
};

/**
 * Groups digits by threes; the real program knows every country's way.
 *
 * @param {string} text
 * @returns {import('../../src/host/bindings').NumberInspection}
 */
export function inspect(text) {
  const digits = text.replace(/\D/g, '');
  const plus = text.trim().startsWith('+');
  const groups = digits.match(/.{1,3}/g)?.join(' ') ?? '';
  const complete = plus && digits.length >= 7;
  return {
    formatted: plus ? `+${groups}` : groups,
    e164: complete ? `+${digits}` : null,
    country: complete ? (digits.startsWith('44') ? 'United Kingdom' : 'United States') : null,
    emergency: ['112', '911', '999'].includes(digits) ? digits : null,
    problem: complete ? null : 'Start with + and the country code, such as +44 20 7946 0018.',
  };
}
