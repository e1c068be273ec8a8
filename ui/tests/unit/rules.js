// @ts-check
// The rules of calls as a new installation has them, for the unit tests and, without a compiler, for
// the browser tests and the pictures.

/** @typedef {import('../../src/host/bindings').Rules} Rules */
/** @typedef {import('../../src/host/bindings').RulesView} RulesView */
/** @typedef {import('../../src/host/bindings').Prompt} Prompt */

/**
 * @param {string} text
 * @returns {Prompt}
 */
const say = (text) => ({ type: 'say', text, language: null });

/** @type {Rules} */
export const DEFAULTS = {
  outgoing: {
    countries: null,
    other_countries: 'ask',
    premium: false,
    emergency: false,
    addresses: true,
    time_limit_s: 14_400,
    most_calls: 2,
    minutes_per_day: null,
    money_per_day: null,
  },
  incoming: {
    hours: null,
    open: { type: 'ring' },
    closed: { type: 'voicemail' },
    do_not_disturb: { type: 'voicemail' },
    busy: { type: 'voicemail' },
    offline: { type: 'voicemail' },
    no_answer: { type: 'voicemail' },
    hidden_number: null,
    ring_s: 25,
    voicemail: {
      greeting: say('Nobody can take your call right now. Please leave a message after the tone.'),
      longest_s: 120,
      transcribe: false,
    },
    menu: {
      prompt: say('To speak to somebody, press 1. To leave a message, press 2.'),
      choices: {
        1: { label: 'Speak to somebody', then: { type: 'answer', answer: { type: 'ring' } } },
        2: { label: 'Leave a message', then: { type: 'answer', answer: { type: 'voicemail' } } },
      },
      wait_s: 6,
      attempts: 3,
      otherwise: { type: 'voicemail' },
    },
    queue: {
      greeting: say(
        'All lines are busy. Please hold, and your call will be taken as soon as possible.',
      ),
      tell_position: true,
      music: { type: 'tune' },
      longest_wait_s: 900,
      most_waiting: 20,
      overflow: { type: 'voicemail' },
    },
  },
};

export const SOUND = '0123456789abcdef'.repeat(2);

/** @type {RulesView} */
export const RULES = {
  rules: DEFAULTS,
  defaults: DEFAULTS,
  problems: [],
  countries: [
    ['AT', 'Austria'],
    ['CA', 'Canada'],
    ['FR', 'France'],
    ['DE', 'Germany'],
    ['IE', 'Ireland'],
    ['GB', 'United Kingdom'],
    ['US', 'United States'],
  ].map(([region = '', name = '']) => ({ region, name })),
  home_region: 'GB',
  zone: 'Europe/London',
  zones: ['America/New_York', 'Europe/Berlin', 'Europe/London'],
  sounds: [{ name: SOUND, label: 'Harbour greeting', duration_s: 9 }],
  fallback: {
    document:
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Say>Nobody can take your call right now. Please call again later.</Say></Response>',
    url: null,
    problem: null,
  },
  today: { minutes: 34, money: null },
  currency: 'USD',
};

/**
 * A menu of three pages, opening hours and a queue.
 *
 * @type {Rules}
 */
export const BUSY_OFFICE = {
  outgoing: { ...DEFAULTS.outgoing, countries: ['DE', 'FR', 'GB'], minutes_per_day: 240 },
  incoming: {
    ...DEFAULTS.incoming,
    hours: {
      zone: 'Europe/London',
      week: [
        [
          { from: 540, to: 720 },
          { from: 780, to: 1020 },
        ],
        [{ from: 540, to: 1020 }],
        [{ from: 540, to: 1020 }],
        [{ from: 540, to: 1020 }],
        [{ from: 540, to: 900 }],
        [{ from: 1320, to: 120 }],
        [],
      ],
      exceptions: [
        { date: { year: 2026, month: 12, day: 25 }, label: 'Christmas', spans: [] },
        {
          date: { year: 2026, month: 12, day: 31 },
          label: 'New Year’s Eve',
          spans: [{ from: 540, to: 720 }],
        },
      ],
    },
    open: { type: 'menu' },
    busy: { type: 'queue' },
    no_answer: { type: 'forward', to: '+442079460018' },
    closed: {
      type: 'message',
      prompt: say('We are closed. Please call again on a weekday between nine and five.'),
    },
    voicemail: { ...DEFAULTS.incoming.voicemail, greeting: { type: 'play', sound: SOUND } },
    menu: {
      ...DEFAULTS.incoming.menu,
      prompt: say('Welcome to Harbour Dental. For an appointment, press 1. For bills, press 2.'),
      choices: {
        1: {
          label: 'Appointments',
          then: {
            type: 'page',
            page: {
              ...DEFAULTS.incoming.menu,
              prompt: say('For a new appointment, press 1. To change one, press 2.'),
            },
          },
        },
        2: { label: 'Bills', then: { type: 'answer', answer: { type: 'queue' } } },
      },
    },
  },
};

/** @type {import('../../src/host/bindings').PreviewLine[]} */
export const PREVIEW = [
  { at_s: 0, who: 'call', text: 'The call is answered.' },
  { at_s: 1, who: 'heard', text: 'Welcome to Harbour Dental. For an appointment, press 1.' },
  { at_s: 6, who: 'caller', text: 'Presses 2.' },
  { at_s: 7, who: 'heard', text: 'All lines are busy. Please hold.' },
  { at_s: 20, who: 'agent', text: 'Takes the call.' },
  { at_s: 24, who: 'call', text: 'The call is over.' },
];
