// The pages about the rules of calls, and what comes of them.
import * as accounts from '../unit/accounts.js';
import { BUSY_OFFICE, RULES } from '../unit/rules.js';

/** Scrolls so that `testid` is seen. */
const show = (page, testid) =>
  page.by(testid).evaluate((element) => element.scrollIntoView({ block: 'start' }));

const REFUSED = {
  code: 'CallRefused',
  message: 'Calls to Cuba are not allowed. Add it to the list on the Calls page.',
  detail: null,
};
const EMERGENCY = {
  code: 'CallRefused',
  message:
    'This program cannot call 911: use a mobile or a land line now. Emergency calls can be allowed on the Calls page, once an emergency address is set up at Twilio.',
  detail: null,
};

export function ruleScenes(call_log) {
  /** @type {(nav: string, rules: object, act?: (page, program) => Promise<unknown>, over?: object) => unknown} */
  const scene = (nav, rules, act = async () => {}, over = {}) => [
    { call_log, ...over },
    async (page, program) => {
      program.rules = { ...RULES, ...rules };
      await page.by(`nav-${nav}`).click();
      await page.by('reset-rules').waitFor();
      await act(page, program);
      await page.mouse.move(0, 0);
    },
  ];
  const office = { rules: BUSY_OFFICE };
  const dial = async (page, number) => {
    await page.by('number-input').fill(number);
    await page.by('call-button').click();
  };
  const voicemails = {
    ...call_log,
    entries: call_log.entries.map((entry, at) => {
      const recording = {
        recording_sid: `RE${String(at).padStart(32, '0')}`,
        message: true,
        status: 'completed',
        duration_s: 23,
        text: 'Hello, this is Mrs Harper. Please call me back about Tuesday.',
      };
      if (at === 1) return { ...entry, outcome: 'voicemail', recordings: [recording] };
      if (at === 2) {
        const call = { ...recording, message: false, duration_s: 362, text: null };
        return { ...entry, recordings: [call], waited_s: 74 };
      }
      if (at === 5) return { ...entry, outcome: 'forwarded', duration_s: 61 };
      return entry;
    }),
  };
  const recents = async (page) =>
    (await page.by('nav-recents').isVisible()) && page.by('nav-recents').click();
  return {
    'calls-page': scene('calls', office),
    'calls-kinds': scene('calls', {}, (page) => show(page, 'kinds')),
    'calls-emergency': scene('calls', {}, async (page) => {
      await page.by('emergency-read').click();
      await page.by('emergency-accept').click();
      await show(page, 'emergency');
    }),
    'calls-limits': scene('calls', office, async (page) => {
      await page.by('time-limit').fill('none');
      await show(page, 'limits');
    }),
    'calls-problems': scene('calls', office, async (page) => {
      await page.by('most-calls').fill('');
      await page.by('rules-problems').waitFor();
    }),
    'incoming-page': scene('incoming', office),
    'incoming-instead': scene('incoming', office, (page) => show(page, 'instead')),
    'incoming-hours': scene('incoming', office, (page) => show(page, 'hours')),
    'incoming-holidays': scene('incoming', office, (page) => show(page, 'add-holiday')),
    'incoming-holidays-list': scene('incoming', office, (page) => show(page, 'copy-all')),
    'incoming-closed': scene('incoming', office, (page) => show(page, 'zone')),
    'incoming-voicemail': scene('incoming', office, async (page) => {
      await page.by('greeting-sound-play').click();
      await page.by('greeting-sound-player').waitFor();
      await show(page, 'voicemail');
    }),
    'incoming-menu': scene('incoming', office, (page) => show(page, 'menu')),
    'incoming-menu-deep': scene('incoming', office, (page) => show(page, 'menu-1')),
    'incoming-menu-unused': scene('incoming', {}, (page) => show(page, 'menu')),
    'incoming-queue': scene('incoming', office, (page) => show(page, 'queue-rules')),
    'incoming-preview': scene('incoming', office, async (page) => {
      await page.by('preview-keys').fill('2');
      await page.by('preview-when').selectOption('at');
      await page.by('preview-play').click();
      await page.by('preview-lines').waitFor();
      await show(page, 'preview');
    }),
    'incoming-greeting-recording': scene('incoming', office, async (page, program) => {
      await page.by('greeting-sound-record').click();
      await page.by('greeting-sound-microphone').waitFor();
      await page.by('greeting-sound-record-start').click();
      program.event('greeting_progressed', {
        recording: 1,
        at_ms: 4_200,
        level: 0.1,
        over: false,
        error: null,
      });
      await page.by('greeting-sound-progress').waitFor();
      await page
        .by('greeting-sound-recorder')
        .evaluate((part) => part.scrollIntoView({ block: 'center' }));
    }),
    'incoming-greeting-recorded': scene('incoming', office, async (page) => {
      await page.by('greeting-sound-record').click();
      await page.by('greeting-sound-record-start').click();
      await page.by('greeting-sound-record-stop').click();
      await page.by('greeting-sound-heard').waitFor();
      await page
        .by('greeting-sound-recorder')
        .evaluate((part) => part.scrollIntoView({ block: 'center' }));
    }),
    'incoming-preview-playing': scene('incoming', office, async (page, program) => {
      program.preview_lines = new Promise(() => {});
      await page.by('preview-play').click();
      for (const [at_s, who, text] of [
        [0, 'heard', 'Welcome. For sales, press 1. To leave a message, press 2.'],
        [6, 'caller', 'Presses 7.'],
        [6, 'call', 'This menu has no key 7. The caller hears what follows a wrong key.'],
      ]) {
        program.event('preview_line_added', { at_s, who, text });
      }
      await page.by('preview-key-1').waitFor();
      await show(page, 'preview');
      await page.by('preview-key-1').evaluate((key) => key.scrollIntoView({ block: 'end' }));
    }),
    'incoming-preview-lines': scene('incoming', office, async (page) => {
      await page.by('preview-play').click();
      await page.by('preview-lines').waitFor();
      await show(page, 'preview-lines');
    }),
    'incoming-fallback': scene('incoming', office, async (page, program) => {
      program.tell(accounts.connected);
      await page.locator('[data-phase=connected]').waitFor();
      await page.by('fallback-save').waitFor();
      await show(page, 'fallback');
    }),
    'incoming-leave': scene('incoming', {}, async (page) => {
      await page.by('hours-on').click();
      await page.by('nav-account').click();
      await page.by('leave-rules').waitFor();
    }),
    'incoming-disturb': scene(
      'incoming',
      {},
      async (page) => {
        await page.by('light-in').click();
      },
      { do_not_disturb: true },
    ),
    'ask-country': [
      { call_log },
      async (page, program) => {
        program.permit = {
          type: 'ask',
          question: { region: 'FR', country: 'France' },
          price_per_minute: { micros: 14_000, currency: 'USD' },
        };
        await dial(page, '+33199001234');
        await page.by('ask-country').waitFor();
      },
    ],
    'call-refused': [
      { call_log },
      async (page, program) => {
        program.refuse.set('prepare_call', REFUSED);
        await dial(page, '+5352345678');
        await page.by('call-refused').waitFor();
        await page.mouse.move(0, 0);
      },
    ],
    'call-emergency': [
      { call_log },
      async (page, program) => {
        program.refuse.set('prepare_call', EMERGENCY);
        await dial(page, '911');
        await page.by('emergency-refused').waitFor();
      },
    ],
    queue: [
      {
        call_log,
        agent: {
          name: 'Albert',
          identity: 'albert',
          caller_id: '+442079460018',
          caller_id_formatted: '+44 20 7946 0018',
          caller_ids: [
            { number: '+442079460018', formatted: '+44 20 7946 0018' },
            { number: '+12025550143', formatted: '+1 202-555-0143' },
          ],
        },
        queue: {
          waiting: [
            {
              peer: '+14155552671',
              formatted: '+1 415-555-2671',
              since_ms: Date.now() - 134_000,
            },
            { peer: '+4930901820', formatted: '+49 30 901820', since_ms: Date.now() - 20_000 },
          ],
        },
      },
      async () => {},
    ],
    'recents-voicemail': [
      { call_log: voicemails },
      async (page) => {
        await recents(page);
        await page.by('play-recording').first().click();
        await page.by('recording-player').waitFor();
        await page.by('delete-recording').last().click();
        await page.mouse.move(0, 0);
      },
    ],
  };
}
