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
  },
  signalling: { type: 'practice', host: '127.0.0.1:1' },
  native_voice: 'fallback',
  lights: {
    calls_out: { state: 'ready', reason: null },
    calls_in: { state: 'ready', reason: null },
  },
  notices: [],
  practice: null,
  call_log: { entries: [], next: null },
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
    problem: complete ? null : 'Start with + and the country code, such as +44 20 7946 0018.',
  };
}
