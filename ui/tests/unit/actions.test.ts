import { describe, expect, it, vi } from 'vitest';
import { actions, enabled, run, runRequest, type ActionId } from '../../src/actions/actions';
import type { ActionState, App } from '../../src/actions/app';
import { commandFor, keyLabel, type KeyPress } from '../../src/actions/keys';
import type { Call, PhoneState } from '../../src/phone/state';
import { REST } from './states';

const call: Call = {
  id: 'id',
  direction: 'incoming',
  peer: '+12025550100',
  ourNumber: null,
  callSid: null,
  parentCallSid: null,
  startedAt: 0,
  answeredAt: null,
  muted: false,
  digits: '',
  answering: false,
  earlyMedia: false,
  troubles: [],
  stats: null,
};
const phones = {
  idle: { name: 'idle' },
  dialing: { name: 'dialing', call },
  incoming: { name: 'incoming', call },
  answering: { name: 'incoming', call: { ...call, answering: true } },
  inCall: { name: 'in-call', call },
  ended: { name: 'ended', call, ending: { how: 'ended' }, endedAt: 0, verdict: null },
} satisfies Record<string, PhoneState>;

function state(over: Partial<ActionState> = {}): ActionState {
  return {
    phone: phones.idle,
    lights: {
      calls_out: { state: 'ready', reason: null, repair: null },
      calls_in: { state: 'ready', reason: null, repair: null },
    },
    text: '',
    inspection: null,
    lastNumber: null,
    practiceNumber: null,
    overlay: null,
    keypadOpen: false,
    hasOlderCalls: false,
    page: 'keypad',
    ...REST,
    account: { status: null, entering: [], doing: [], callerIdCheck: null, draft: null },
    ...over,
  };
}

function app(over: Partial<ActionState> = {}) {
  return {
    state: state(over),
    placeCall: vi.fn<App['placeCall']>(() => Promise.resolve()),
    answer: vi.fn(),
    decline: vi.fn(),
    hangUp: vi.fn(),
    setMuted: vi.fn(),
    press: vi.fn(),
    type: vi.fn(),
    erase: vi.fn(),
    flash: vi.fn(),
    practiceIncoming: vi.fn(() => Promise.resolve()),
    show: vi.fn(),
    setKeypadOpen: vi.fn(),
    setOverlay: vi.fn(),
    dismissEnding: vi.fn(),
    loadOlderCalls: vi.fn(() => Promise.resolve()),
    hint: vi.fn(),
    copy: vi.fn(() => Promise.resolve()),
    showRule: vi.fn(),
    takeNext: vi.fn(() => Promise.resolve()),
    setDoNotDisturb: vi.fn(() => Promise.resolve()),
    answerQuestion: vi.fn(() => Promise.resolve()),
    dismissQuestion: vi.fn(),
    leave: vi.fn(() => Promise.resolve()),
    playRecording: vi.fn(() => Promise.resolve()),
    deleteRecording: vi.fn(() => Promise.resolve()),
    rules: {
      save: vi.fn(() => Promise.resolve(true)),
      discard: vi.fn(),
      undo: vi.fn(),
      play: vi.fn(() => Promise.resolve()),
      deleteSound: vi.fn(() => Promise.resolve()),
      setFallback: vi.fn(() => Promise.resolve()),
      checkFallback: vi.fn(() => Promise.resolve()),
      trial: { stop: vi.fn(() => Promise.resolve()), press: vi.fn(() => Promise.resolve()) },
      greeting: { record: vi.fn(() => Promise.resolve()), finish: vi.fn(() => Promise.resolve()) },
    },
    account: {
      enter: vi.fn(() => Promise.resolve()),
      importEnv: vi.fn(() => Promise.resolve()),
      forget: vi.fn(() => Promise.resolve()),
      check: vi.fn(() => Promise.resolve()),
      setUp: vi.fn(() => Promise.resolve()),
      tryAgain: vi.fn(() => Promise.resolve()),
      verify: vi.fn(() => Promise.resolve()),
      hideCheck: vi.fn(),
      repair: vi.fn(() => Promise.resolve()),
      replaceToken: vi.fn(() => Promise.resolve()),
      useSharedKey: vi.fn(() => Promise.resolve()),
      replaceSharedKey: vi.fn(() => Promise.resolve()),
      useFile: vi.fn(() => Promise.resolve()),
      unlock: vi.fn(() => Promise.resolve()),
      previewDisconnect: vi.fn(() => Promise.resolve()),
      cancelDisconnect: vi.fn(),
      disconnect: vi.fn(() => Promise.resolve()),
      change: vi.fn(() => Promise.resolve()),
      keep: vi.fn(() => Promise.resolve()),
      goBack: vi.fn(() => Promise.resolve()),
      forgetAccount: vi.fn(() => Promise.resolve()),
    },
  } satisfies App;
}

const inspection = (e164: string | null, problem: string | null = null) => ({
  formatted: '',
  e164,
  country: null,
  problem,
  emergency: null,
});

describe('placing a call', () => {
  const can = (over: Partial<ActionState>) => enabled('place_call', state(over), {});

  it('needs a number, or one dialled before', () => {
    expect(can({})).toMatch(/Type a number/);
    expect(can({ lastNumber: '+12025550100' })).toBe(true);
    expect(can({ text: '+12025550100', inspection: inspection('+12025550100') })).toBe(true);
  });

  it('says what is wrong with the number', () => {
    expect(can({ text: '12', inspection: inspection(null, 'Too short.') })).toBe('Too short.');
  });

  it('does not refuse a number that is still being read', () => {
    expect(can({ text: '+12025550100' })).toBe(true);
  });

  it('needs calls out to be ready, and gives their reason', () => {
    const lights = state().lights;
    expect(
      can({
        lastNumber: '+12025550100',
        lights: {
          ...lights,
          calls_out: { state: 'not_reachable', reason: 'No network.', repair: null },
        },
      }),
    ).toBe('No network.');
  });

  it('waits for the end of the call there is, but not for its ending to be dismissed', () => {
    expect(can({ phone: phones.inCall, lastNumber: '+1202' })).toMatch(/in a call/);
    expect(can({ phone: phones.ended, lastNumber: '+1202' })).toBe(true);
  });

  it('hands on the number it is given', async () => {
    const it = app();
    await run(it, 'place_call', { number: '+12025550100' }, 'button');
    expect(it.placeCall).toHaveBeenCalledWith('+12025550100');
  });

  it('does not call back a party without a number', () => {
    expect(enabled('place_call', state(), { number: '' })).toMatch(/no number/);
  });
});

describe('what cannot be done', () => {
  it('is not done, and the agent reads why', async () => {
    const it = app();
    await run(it, 'answer', {}, 'keyboard');
    expect(it.answer).not.toHaveBeenCalled();
    expect(it.hint).toHaveBeenCalledWith('Nobody is calling.');
  });

  it.each([
    ['answer', 'idle', false],
    ['answer', 'incoming', true],
    ['answer', 'answering', false],
    ['decline', 'incoming', true],
    ['decline', 'inCall', false],
    ['hang_up', 'idle', false],
    ['hang_up', 'dialing', true],
    ['hang_up', 'incoming', true],
    ['hang_up', 'inCall', true],
    ['hang_up', 'ended', false],
    ['toggle_mute', 'dialing', true],
    ['toggle_mute', 'incoming', false],
    ['toggle_keypad', 'dialing', false],
    ['toggle_keypad', 'inCall', true],
  ] as const)('%s while %s: %s', (id, phone, possible) => {
    expect(enabled(id, state({ phone: phones[phone] }), {}) === true).toBe(possible);
  });
});

describe('asked from outside', () => {
  it.each([
    [{ action: 'answer' }, 'incoming', 'answer'],
    [{ action: 'decline' }, 'incoming', 'decline'],
    [{ action: 'hang_up' }, 'inCall', 'hangUp'],
    [{ action: 'hang_up' }, 'incoming', 'decline'],
    [{ action: 'toggle_mute' }, 'inCall', 'setMuted'],
    [{ action: 'send_digits', digits: '12#' }, 'inCall', 'press'],
    [{ action: 'dial', number: '+12025550100' }, 'idle', 'placeCall'],
  ] as const)('%o while %s', async (request, phone, method) => {
    const it = app({ phone: phones[phone] });
    await runRequest(it, request);
    expect(it[method]).toHaveBeenCalledOnce();
  });

  it('refuses digits that no key has', async () => {
    const it = app({ phone: phones.inCall });
    await runRequest(it, { action: 'send_digits', digits: '1w2' });
    expect(it.press).not.toHaveBeenCalled();
    expect(it.hint).toHaveBeenCalled();
  });
});

describe('closing', () => {
  it.each([
    [{ overlay: 'keys', phone: phones.ended } as const, 'setOverlay'],
    [{ phone: phones.ended } as const, 'dismissEnding'],
    [{ phone: phones.inCall, keypadOpen: true } as const, 'setKeypadOpen'],
  ] as const)('takes what lies on top: %o', async (over, method) => {
    const it = app(over);
    await run(it, 'close', {}, 'keyboard');
    expect(it[method]).toHaveBeenCalledOnce();
  });

  it('never ends a call', async () => {
    const it = app({ phone: phones.inCall });
    await run(it, 'close', {}, 'keyboard');
    expect(it.hangUp).not.toHaveBeenCalled();
  });
});

describe('keys', () => {
  const press = (key: string, over: Partial<KeyPress> = {}): KeyPress => ({
    key,
    ctrl: false,
    meta: false,
    shift: false,
    alt: false,
    repeat: false,
    focus: 'elsewhere',
    ...over,
  });
  const id = (pressed: KeyPress, over: Partial<ActionState> = {}): ActionId | null =>
    commandFor(pressed, state(over))?.id ?? null;

  it.each([
    ['A', 'answer'],
    ['D', 'decline'],
    ['E', 'hang_up'],
    ['M', 'toggle_mute'],
    ['K', 'toggle_keypad'],
  ] as const)('Ctrl or Command, Shift and %s', (key, action) => {
    expect(id(press(key, { ctrl: true, shift: true, focus: 'field' }))).toBe(action);
    expect(id(press(key, { meta: true, shift: true }))).toBe(action);
    expect(id(press(key, { ctrl: true }))).toBeNull();
    expect(id(press(key, { ctrl: true, shift: true, alt: true }))).toBeNull();
  });

  it('Enter dials, except on a button or in a call', () => {
    expect(id(press('Enter'))).toBe('place_call');
    expect(id(press('Enter', { focus: 'field' }))).toBe('place_call');
    expect(id(press('Enter', { focus: 'button' }))).toBeNull();
    expect(id(press('Enter'), { phone: phones.incoming })).toBeNull();
  });

  it('digits typed anywhere go to the field, and the field types its own', () => {
    expect(commandFor(press('5'), state())).toEqual({ id: 'press_key', args: { key: '5' } });
    expect(id(press('+'))).toBe('press_key');
    expect(id(press('5', { focus: 'button' }))).toBe('press_key');
    expect(id(press('5', { focus: 'field' }))).toBeNull();
    expect(id(press('a'))).toBeNull();
  });

  it('what is filled in elsewhere is not for the phone', () => {
    for (const key of ['Enter', '5', '+', '?', 'Backspace']) {
      expect(id(press(key, { focus: 'entry' }), { text: '1' }), key).toBeNull();
    }
    expect(id(press('Escape', { focus: 'entry' }))).toBe('close');
    expect(id(press('M', { focus: 'entry', ctrl: true, shift: true }))).toBe('toggle_mute');
  });

  it('on the account page go to the number field only when it has the focus', () => {
    const account = { page: 'account', text: '1' } as const;
    for (const key of ['Enter', '5', 'Backspace']) {
      expect(id(press(key), account), key).toBeNull();
      expect(id(press(key, { focus: 'button' }), account), key).toBeNull();
    }
    expect(id(press('Enter', { focus: 'field' }), account)).toBe('place_call');
  });

  it('digits are tones in a call while the keypad is open', () => {
    expect(id(press('5'), { phone: phones.inCall, keypadOpen: true })).toBe('press_key');
    expect(id(press('5'), { phone: phones.inCall })).toBeNull();
    expect(id(press('+'), { phone: phones.inCall, keypadOpen: true })).toBeNull();
    expect(id(press('5'), { phone: phones.incoming })).toBeNull();
  });

  it('Backspace deletes when there is something to delete', () => {
    expect(id(press('Backspace'))).toBeNull();
    expect(id(press('Backspace'), { text: '1' })).toBe('erase');
    expect(id(press('Backspace', { focus: 'field' }), { text: '1' })).toBeNull();
  });

  it('while the list of keys is open only its own keys count', () => {
    expect(id(press('5'), { overlay: 'keys' })).toBeNull();
    expect(id(press('?'), { overlay: 'keys' })).toBe('toggle_overlay');
    expect(id(press('Escape'), { overlay: 'keys' })).toBe('close');
  });

  it('held down do nothing but fill and empty the field', () => {
    const held = { repeat: true };
    const mod = { ...held, ctrl: true, shift: true };
    expect(id(press('M', mod), { phone: phones.inCall })).toBeNull();
    expect(id(press('E', mod), { phone: phones.inCall })).toBeNull();
    expect(id(press('A', mod), { phone: phones.incoming })).toBeNull();
    expect(id(press('Enter', held), { text: '+12025550100' })).toBeNull();
    expect(id(press('5', held), { phone: phones.inCall, keypadOpen: true })).toBeNull();
    expect(id(press('?', held))).toBeNull();
    expect(id(press('Escape', held))).toBeNull();
    expect(id(press('5', held))).toBe('press_key');
    expect(id(press('Backspace', held), { text: '1' })).toBe('erase');
  });

  it('every key that the table names does what the table says', () => {
    for (const [action, { keys }] of Object.entries(actions)) {
      for (const name of keys) {
        const parts = name.split('+');
        const last = parts.at(-1) ?? '';
        const key = last.length > 1 ? last.charAt(0).toUpperCase() + last.slice(1) : last;
        const modified = parts.includes('mod');
        const pressed = press(key, { ctrl: modified, shift: modified });
        expect(id(pressed, { text: '1' }), name).toBe(action);
      }
    }
  });

  it('are written as on the keyboard', () => {
    expect(keyLabel('mod+shift+a', false)).toBe('Ctrl+Shift+A');
    expect(keyLabel('mod+shift+a', true)).toBe('⌘⇧A');
    expect(keyLabel('enter', false)).toBe('Enter');
    expect(keyLabel('?', true)).toBe('?');
  });
});
