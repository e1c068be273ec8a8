// Pictures of every view, light and dark, narrow and wide, into tests/screens/shots.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { closeBrowser, open } from '../browser/page.js';
import { Program, sid, snapshot } from '../browser/program.js';
import { accountScenes } from './account.js';
import { ruleScenes } from './rules.js';

const SHOTS = path.join(import.meta.dirname, 'shots');
const SIZES = {
  narrow: { width: 400, height: 680 },
  compact: { width: 360, height: 560 },
  wide: { width: 900, height: 680 },
};

const farEnds = [
  ['+12025550100', '+1 202-555-0100', 'Answers and echoes you'],
  ['+12025550101', '+1 202-555-0101', 'Answers and plays a tone'],
  ['+12025550102', '+1 202-555-0102', 'Is busy'],
  ['+12025550103', '+1 202-555-0103', 'Rings and nobody answers'],
  ['+12025550104', '+1 202-555-0104', 'Declines the call'],
].map(([number, formatted, does]) => ({ number, formatted, does }));

const HOUR = 3_600_000;
const rows = [
  ['outgoing', '+447929717470', 'answered', 771, null, 0.3],
  ['incoming', '+14155552671', 'missed', null, null, 0.8],
  ['incoming', '+4930901820', 'answered', 362, null, 3],
  ['outgoing', '+447700900123', 'busy', null, 'The line is busy.', 3.5],
  ['outgoing', '+33199001234', 'failed', null, 'This number is not in service.', 22],
  ['incoming', 'client:support', 'declined', null, null, 26],
  ['incoming', '', 'answered', 12, null, 28],
  ['outgoing', '+442079460099', 'no_answer', null, 'Nobody answered.', 80],
  ['outgoing', '+12025550100', 'canceled', null, null, 500],
  ['incoming', '+4930901820', 'answered', 3720, null, 3000],
];
const noon = new Date().setHours(14, 5, 0, 0);
const log = rows.map(([direction, peer, outcome, duration_s, reason, hours], i) => ({
  id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  direction,
  peer,
  our_number: null,
  started_at_ms: noon - hours * HOUR,
  answered_at_ms: null,
  ended_at_ms: noon,
  duration_s,
  outcome,
  reason,
  error_code: null,
  legs: [],
  recordings: [],
  waited_s: null,
}));
const call_log = { entries: log, next: { started_at_ms: 1, id: log.at(-1).id } };
const practice = { far_ends: farEnds };

/** Each picture: the snapshot it starts from, and what is done before it is taken. */
const scenes = {
  dialer: [
    { call_log },
    async (page) => page.by('number-input').pressSequentially('+447929717470'),
  ],
  empty: [{ call_log }, async () => {}],
  problem: [{}, async (page) => page.by('number-input').pressSequentially('0207')],
  practice: [{ practice }, async () => {}],
  'practice-taken': [
    { practice },
    async (page, program) => {
      program.taken = { path: 'incoming.do_not_disturb', answer: { type: 'voicemail' } };
      await page.by('practice-incoming').click();
      await page.by('practice-taken').scrollIntoViewIfNeeded();
      await page.mouse.move(0, 0);
    },
  ],
  recents: [
    { call_log },
    async (page) => (await page.by('nav-recents').isVisible()) && page.by('nav-recents').click(),
  ],
  'recents-empty': [
    { practice },
    async (page) => (await page.by('nav-recents').isVisible()) && page.by('nav-recents').click(),
  ],
  incoming: [
    { call_log },
    async (page, program) => {
      program.invite('+14155552671');
      await page.by('answer-button').waitFor();
      await page.waitForTimeout(500);
    },
  ],
  ringing: [
    { call_log },
    async (page, program) => {
      program.answers = false;
      await dial(page);
      await page.waitForTimeout(300);
    },
  ],
  'in-call': [
    { call_log },
    async (page, program) => {
      await dial(page);
      await page.by('call-timer').waitFor();
      await page.waitForTimeout(2200);
      program.levels(0.2, 0.05);
      await page.waitForTimeout(100);
    },
  ],
  keypad: [
    { call_log },
    async (page) => {
      await dial(page);
      await page.by('call-timer').waitFor();
      await page.by('mute-button').click();
      await page.by('keypad-button').click();
      for (const key of ['1', '5', '9', 'hash']) await page.by(`key-${key}`).click();
      await page.mouse.move(0, 0);
      await page.waitForTimeout(1200);
    },
  ],
  failed: [
    { call_log },
    async (page, program) => {
      program.answers = false;
      await dial(page);
      await page.locator('[data-state=ringing]').waitFor();
      program.signal('hangup', { callsid: sid(1), error: { code: 31404, message: 'Not Found' } });
      await page.by('call-reason').waitFor();
      await page.mouse.move(0, 0);
      await page.waitForTimeout(200);
    },
  ],
  notices: [
    {
      call_log,
      lights: {
        calls_out: { state: 'ready', reason: null, repair: null },
        calls_in: {
          state: 'not_reachable',
          reason:
            'The tunnel is down, so Twilio cannot reach this computer. It is restarted by itself; if this stays, check the network.',
          repair: 'restart_tunnel',
        },
      },
      notices: [
        {
          id: 'a',
          error: {
            code: 'KeychainUnavailable',
            message: 'The keychain is locked. Unlock it and restart the program.',
            detail: null,
          },
          dismissible: false,
        },
        {
          id: 'b',
          error: {
            code: 'CallLogSetAside',
            message: 'The call log was damaged and has been set aside; a new one was begun.',
            detail: null,
          },
          dismissible: true,
        },
      ],
    },
    async (page) => page.by('light-in').click(),
  ],
  keys: [{ call_log }, async (page) => page.keyboard.press('?')],
  ...accountScenes(practice),
  ...ruleScenes(call_log),
};

async function dial(page) {
  await page.by('number-input').fill('+447929717470');
  await page.by('call-button').click();
  await page.mouse.move(0, 0);
}

const only = process.argv.slice(2);
if (only.length === 0) await rm(SHOTS, { recursive: true, force: true });
await mkdir(SHOTS, { recursive: true });
const faults = [];
for (const [scene, [overrides, act]] of Object.entries(scenes)) {
  if (only.length > 0 && !only.some((name) => scene.startsWith(name))) continue;
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const program = await new Program(snapshot(overrides)).listen();
      const page = await open(program, { viewport, colorScheme });
      await program.command('report_device', ({ report }) => report.state === 'registered');
      await act(page, program);
      await page.waitForTimeout(150);
      await page.screenshot({ path: path.join(SHOTS, `${scene}-${size}-${colorScheme}.png`) });
      faults.push(...page.faults.map((fault) => `${scene} ${size} ${colorScheme}: ${fault}`));
      await page.context().close();
      await program.close();
    }
  }
}
await closeBrowser();
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
}
