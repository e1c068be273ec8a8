import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '../../src/host/bindings';
import type { Host } from '../../src/host/host';
import { Dialer } from '../../src/stores/dialer.svelte';
import App from '../../src/views/App.svelte';
import { NoVoice, type Voice, type VoiceListeners } from '../../src/voice/voice';
import { HandClock } from './clock';
import { PlayedCall, PlayedLine } from './line';
import { logEntry, Program, refusal } from './program';
import { inspect, SNAPSHOT } from './stand_in';

let program: Program;
let line: PlayedLine;
let clock: HandClock;
let listeners: VoiceListeners;
let tones: Record<
  'blocked' | 'unlock' | 'ring' | 'ringback' | 'stop' | 'key',
  ReturnType<typeof vi.fn>
>;
let renewToken: ReturnType<typeof vi.fn>;
let dialer: Dialer;
let online: boolean;

beforeEach(() => {
  program = new Program();
  line = new PlayedLine();
  clock = new HandClock();
  online = true;
  renewToken = vi.fn(() => Promise.resolve());
  tones = {
    blocked: vi.fn(() => Promise.resolve(false)),
    unlock: vi.fn(),
    ring: vi.fn(),
    ringback: vi.fn(),
    stop: vi.fn(),
    key: vi.fn(),
  };
});

async function open(over: Partial<Snapshot> = {}, voice?: () => Promise<Voice>): Promise<void> {
  program.snapshot = { ...SNAPSHOT, ...over };
  const place = line.place.bind(line);
  const openVoice = (_host: Host, _snapshot: Snapshot, heard: VoiceListeners): Promise<Voice> => {
    listeners = heard;
    if (voice) return voice();
    return Promise.resolve({
      line: { place, start: vi.fn(), renewToken } as unknown as Voice['line'],
      deliver: vi.fn(),
    });
  };
  let ids = 0;
  dialer = new Dialer({
    host: program,
    openVoice,
    tones: tones as unknown as ConstructorParameters<typeof Dialer>[0]['tones'],
    clock,
    newId: () => `id-${(ids += 1)}`,
    clipboard: undefined,
    online: () => online,
    memory: window.sessionStorage,
  });
  render(App, { dialer });
  await dialer.start();
  await tick();
}

const by = (testid: string): HTMLElement => screen.getByTestId(testid);
const input = (): HTMLInputElement => screen.getByTestId('number-input');

async function type(text: string): Promise<void> {
  await fireEvent.input(input(), { target: { value: text } });
  await dialer.field.read();
  await tick();
}

async function press(key: string, over: KeyboardEventInit = {}): Promise<void> {
  await fireEvent.keyDown(document.activeElement ?? document.body, { key, ...over });
  await tick();
}

async function click(testid: string): Promise<void> {
  await fireEvent.click(by(testid));
  await dialer.field.read();
  await tick();
}

function invite(): PlayedCall {
  const call = new PlayedCall();
  listeners.onInvite(
    { peer: '+12025550107', ourNumber: '+442079460018', callSid: 'CA1', parentCallSid: null },
    call,
  );
  return call;
}

async function talk(): Promise<PlayedCall> {
  await type('+12025550100');
  await click('call-button');
  line.last.ringing();
  line.last.accepted();
  await tick();
  return line.last;
}

describe('the network', () => {
  const told = () => program.named('report_network');

  it('is told of when it goes and when it comes', async () => {
    await open();
    expect(told()).toEqual([]);
    online = false;
    await fireEvent(window, new Event('offline'));
    online = true;
    await fireEvent(window, new Event('online'));
    await vi.waitFor(() => {
      expect(told()).toEqual([{ online: false }, { online: true }]);
    });
  });

  it('that is missing from the start is told of, and again to a program that comes back', async () => {
    online = false;
    await open();
    await vi.waitFor(() => {
      expect(told()).toEqual([{ online: false }]);
    });
    program.gap();
    await vi.waitFor(() => {
      expect(told()).toEqual([{ online: false }, { online: false }]);
    });
  });
});

describe('starting', () => {
  it('shows who the agent is and the two lights in words', async () => {
    await open({
      lights: {
        calls_out: { state: 'ready', reason: null, repair: null },
        calls_in: { state: 'not_reachable', reason: 'The tunnel is down.', repair: null },
      },
    });
    screen.getByText('Albert');
    screen.getByText('from +44 20 7946 0018');
    expect(by('light-out').dataset.state).toBe('ready');
    expect(by('light-in').textContent).toMatch(/Not reachable/);
    await fireEvent.click(by('light-in'));
    screen.getByText('The tunnel is down.');
    await press('Escape');
    expect(screen.queryByText('The tunnel is down.')).toBeNull();
  });

  it('that fails says why and offers to try again', async () => {
    program.answers.snapshot = () => refusal('The program does not answer.');
    await open();
    expect(by('start-failure').textContent).toMatch(/does not answer/);
    screen.getByRole('button', { name: 'Try again' });
  });

  it('without any way to carry sound says so', async () => {
    await open({}, () => Promise.reject(new NoVoice()));
    expect(by('notice').textContent).toMatch(/cannot carry sound/);
  });

  it('keeps what happened before the snapshot arrived', async () => {
    program.answers.snapshot = () => {
      program.event({
        event: 'lights_changed',
        data: {
          ...SNAPSHOT.lights,
          calls_in: { state: 'reconnecting', reason: null, repair: null },
        },
      });
      return SNAPSHOT;
    };
    await open();
    expect(by('light-in').dataset.state).toBe('reconnecting');
  });

  it('fetches everything anew after a gap', async () => {
    await open();
    program.snapshot = { ...SNAPSHOT, agent: { ...SNAPSHOT.agent, name: 'Berta' } };
    program.gap();
    await screen.findByText('Berta');
  });

  it('asks again when everything cannot be fetched, and goes on hearing meanwhile', async () => {
    await open();
    const lights = {
      ...SNAPSHOT.lights,
      calls_in: { state: 'reconnecting', reason: null, repair: null },
    } as const;
    program.answers.snapshot = () => {
      program.event({ event: 'lights_changed', data: lights });
      return refusal('Not now.');
    };
    program.gap();
    expect((await screen.findByTestId('hint')).textContent).toBe('Not now.');
    expect(by('light-in').dataset.state).toBe('reconnecting');
    delete program.answers.snapshot;
    clock.pass(3_000);
    await waitFor(() => {
      expect(by('light-in').dataset.state).toBe('ready');
    });
    const asked = program.named('snapshot').length;
    clock.pass(60_000);
    expect(program.named('snapshot')).toHaveLength(asked);
  });

  it('fetches once at a time, and once more for a gap in between', async () => {
    await open();
    const answers: ((snapshot: Snapshot) => void)[] = [];
    program.answers.snapshot = () => new Promise<Snapshot>((resolve) => answers.push(resolve));
    program.gap();
    program.gap();
    program.gap();
    await waitFor(() => {
      expect(answers).toHaveLength(1);
    });
    answers[0]?.(SNAPSHOT);
    await waitFor(() => {
      expect(answers).toHaveLength(2);
    });
    answers[1]?.({ ...SNAPSHOT, agent: { ...SNAPSHOT.agent, name: 'Berta' } });
    await screen.findByText('Berta');
    expect(answers).toHaveLength(2);
  });

  it('of a program that is gone is seen until it is back', async () => {
    await open();
    program.lose('The program does not answer.');
    await tick();
    expect(by('light-out').dataset.state).toBe('not_reachable');
    expect(by('light-in').dataset.state).toBe('not_reachable');
    expect(by('notice').textContent).toMatch(/does not answer/);
    program.gap();
    await waitFor(() => {
      expect(by('light-out').dataset.state).toBe('ready');
    });
    expect(screen.queryByTestId('notice')).toBeNull();
  });

  it('in a browser that keeps the page silent asks for a click', async () => {
    program.kind = 'browser';
    tones.blocked.mockResolvedValue(true);
    await open();
    expect(by('notice').textContent).toMatch(/Click anywhere/);
    await fireEvent.pointerDown(document.body);
    // What is pressed must stay where it is until it is let go.
    expect(by('notice').textContent).toMatch(/Click anywhere/);
    await fireEvent.click(document.body);
    expect(tones.unlock).toHaveBeenCalled();
    expect(screen.queryByTestId('notice')).toBeNull();
  });
});

describe('the number field', () => {
  beforeEach(() => open());

  it('formats as you type and shows what will be dialled', async () => {
    await type('+12025550100');
    expect(input().value).toBe('+120 255 501 00');
    screen.getByText('+12025550100 · United States');
  });

  it('says what is wrong, and the button does too', async () => {
    await type('12');
    expect(by('number-problem').textContent).toMatch(/Start with \+/);
    expect(by('call-button').getAttribute('aria-disabled')).toBe('true');
    expect(by('call-button').title).toMatch(/Start with \+/);
    await click('call-button');
    expect(line.placed).toHaveLength(0);
    expect(by('hint').textContent).toMatch(/Start with \+/);
  });

  it('ignores the answer to an earlier question', async () => {
    const answers: (() => void)[] = [];
    program.answers.inspect_number = ({ text }: { text: string }) =>
      new Promise((resolve) => {
        answers.push(() => {
          resolve({ formatted: `<${text}>`, e164: null, country: null, problem: null });
        });
      });
    await fireEvent.input(input(), { target: { value: '1' } });
    await fireEvent.input(input(), { target: { value: '12' } });
    await waitFor(() => {
      expect(answers).toHaveLength(2);
    });
    answers[1]?.();
    await waitFor(() => {
      expect(input().value).toBe('<12>');
    });
    answers[0]?.();
    await tick();
    expect(input().value).toBe('<12>');
  });

  it('takes digits typed anywhere, the pad and its long press', async () => {
    input().blur();
    await press('+');
    await press('1');
    await click('key-2');
    expect(input().value).toBe('+12');
    expect(tones.key.mock.calls.flat()).toEqual(['+', '1', '2']);

    await type('');
    vi.useFakeTimers();
    await fireEvent.pointerDown(by('key-0'));
    vi.advanceTimersByTime(600);
    await fireEvent.click(by('key-0'));
    vi.useRealTimers();
    expect(input().value).toBe('+');
    await fireEvent.click(screen.getByRole('button', { name: 'Delete the last digit' }));
    expect(input().value).toBe('');
  });

  it('takes a number pasted anywhere', async () => {
    const paste = new Event('paste', { bubbles: true });
    Object.assign(paste, { clipboardData: { getData: () => ' +1 (202) 555-0100 ' } });
    document.body.dispatchEvent(paste);
    await dialer.field.read();
    await tick();
    expect(input().value).toBe('+120 255 501 00');
  });

  it('is a labelled field beside a labelled group of keys', () => {
    expect(screen.getByLabelText('Number to call')).toBe(input());
    screen.getByRole('group', { name: 'Keypad' });
    screen.getByRole('button', { name: '2, A B C' });
    screen.getByRole('button', { name: 'Star' });
  });
});

describe('placing a call', () => {
  beforeEach(() => open());

  it('by Enter, and again by Enter alone', async () => {
    await type('+12025550100');
    await press('Enter');
    await waitFor(() => {
      expect(line.placed).toHaveLength(1);
    });
    expect(line.placed[0]?.params.To).toBe('+12025550100');
    line.last.happens({ type: 'ended' });
    await press('Escape');
    await press('Enter');
    await waitFor(() => {
      expect(line.placed).toHaveLength(2);
    });
    expect(line.placed[1]?.params.To).toBe('+12025550100');
  });

  it('right after the last digit, before it was read', async () => {
    await fireEvent.input(input(), { target: { value: '+12025550100' } });
    await press('Enter');
    await waitFor(() => {
      expect(line.placed).toHaveLength(1);
    });
  });

  it('calls the given number whatever is typed while it is read', async () => {
    let answer = (): void => undefined;
    program.answers.inspect_number = ({ text }: { text: string }) =>
      text === '+12025550100'
        ? new Promise((resolve) => {
            answer = () => {
              resolve(inspect(text));
            };
          })
        : inspect(text);
    program.event({ event: 'action_requested', data: { action: 'dial', number: '+12025550100' } });
    await waitFor(() => {
      expect(input().value).toBe('+12025550100');
    });
    input().blur();
    await press('7');
    await dialer.field.read();
    answer();
    await waitFor(() => {
      expect(line.placed[0]?.params.To).toBe('+12025550100');
    });
  });

  it('keeps the number when somebody calls before it was dialled', async () => {
    let answer = (): void => undefined;
    program.answers.inspect_number = ({ text }: { text: string }) =>
      new Promise((resolve) => {
        answer = () => {
          resolve(inspect(text));
        };
      });
    await fireEvent.input(input(), { target: { value: '+12025550100' } });
    await press('Enter');
    const call = invite();
    answer();
    expect((await screen.findByTestId('hint')).textContent).toMatch(/in a call/);
    expect(line.placed).toHaveLength(0);
    call.happens({ type: 'canceled' });
    dialer.dismissEnding();
    await tick();
    expect(input().value).toBe('+120 255 501 00');
    expect(dialer.lastNumber).toBeNull();
  });

  it('reports the Device and calls in one order', async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    program.answers.report_device = async () => {
      await new Promise<void>((resume) => (release = resume));
      order.push('device');
    };
    program.answers.report_call = () => order.push('call');
    listeners.reportDevice({ state: 'registered', error: null });
    await talk();
    expect(order).toEqual([]);
    release();
    await waitFor(() => {
      expect(order).toEqual(['device', 'call', 'call', 'call']);
    });
  });

  it('reports in order even when the program is slow', async () => {
    const order: string[] = [];
    let first = true;
    program.answers.report_call = async ({ report }: { report: { what: { type: string } } }) => {
      const slow = first;
      first = false;
      if (slow) await new Promise((resume) => setTimeout(resume, 5));
      order.push(report.what.type);
    };
    await talk();
    await waitFor(() => {
      expect(order).toEqual(['dialing', 'ringing', 'accepted']);
    });
  });
});

describe('in a call', () => {
  beforeEach(() => open());

  it('shows the party, the state in words and the time, and hangs up', async () => {
    const call = await talk();
    expect(by('call-peer').textContent).toBe('+120 255 501 00');
    expect(by('call-state').textContent).toBe('Connected');
    clock.pass(65_000);
    await tick();
    expect(by('call-timer').textContent).toBe('1:05');
    expect(by('call-timer').getAttribute('aria-live')).toBe('off');
    await click('hangup-button');
    expect(call.done).toContain('hangUp');
    expect(by('call-state').textContent).toBe('You hung up');
    clock.pass(5_000);
    await tick();
    expect(input().value).toBe('');
  });

  it('is not ended by the second click of a double click', async () => {
    const call = await talk();
    await fireEvent.click(by('hangup-button'), { detail: 2 });
    expect(call.done).toEqual([]);
    await fireEvent.click(by('hangup-button'), { detail: 1 });
    expect(call.done).toEqual(['hangUp']);
  });

  it('plays the ringing tone only until the answer, and not over the network’s own', async () => {
    await type('+12025550100');
    await click('call-button');
    expect(tones.ringback).not.toHaveBeenCalled();
    line.last.happens({ type: 'ringing', callSid: null, earlyMedia: false });
    expect(tones.ringback).toHaveBeenCalledOnce();
    tones.stop.mockClear();
    line.last.accepted();
    expect(tones.stop).toHaveBeenCalled();
    tones.ringback.mockClear();
    line.last.happens({ type: 'ended' });
    await tick();
    await click('call-again-button');
    line.last.happens({ type: 'ringing', callSid: null, earlyMedia: true });
    expect(tones.ringback).not.toHaveBeenCalled();
  });

  it('mutes by button and by key', async () => {
    const call = await talk();
    await click('mute-button');
    expect(by('mute-button').getAttribute('aria-pressed')).toBe('true');
    expect(by('call-state').textContent).toMatch(/muted/);
    await press('M', { ctrlKey: true, shiftKey: true });
    expect(call.done).toEqual(['mute', 'unmute']);
  });

  it('sends typed digits while the keypad is open only', async () => {
    const call = await talk();
    await press('1');
    await click('keypad-button');
    await press('2');
    await click('key-hash');
    clock.pass(1_000);
    expect(call.done).toEqual(['digits 2', 'digits #']);
    await press('Escape');
    expect(screen.queryByTestId('key-1')).toBeNull();
  });

  it('tells of trouble and why', async () => {
    const call = await talk();
    call.happens({ type: 'trouble', trouble: 'microphone_silent', begins: true });
    await tick();
    screen.getByText(/do not hear your microphone/);
    call.happens({
      type: 'stats',
      stats: { rttMs: 41.6, jitterMs: 3, lossPercent: 0, mos: 4.2, codec: 'opus' },
    });
    await tick();
    screen.getByText('Good · 42 ms · Opus');
    call.happens({ type: 'trouble', trouble: 'high_loss', begins: true });
    await tick();
    screen.getByText('Poor · 42 ms · Opus');
    call.happens({ type: 'trouble', trouble: 'high_loss', begins: false });
    await tick();
    screen.getByText('Good · 42 ms · Opus');
  });

  it('learns from the log how an unanswered call ended', async () => {
    await type('+12025550100');
    await click('call-button');
    line.last.happens({ type: 'ended' });
    await tick();
    expect(by('call-state').textContent).toBe('Call ended');
    program.event({
      event: 'call_log_changed',
      data: logEntry({ id: 'id-1', outcome: 'no_answer', reason: 'Nobody answered.' }),
    });
    await tick();
    expect(by('call-state').textContent).toBe('No answer');
    expect(by('call-reason').textContent).toBe('Nobody answered.');
  });

  it('tells of a second caller, who hears that we are busy', async () => {
    await talk();
    const second = invite();
    await tick();
    expect(second.done).toEqual(['decline']);
    expect(by('notice').textContent).toMatch(/called while you were in a call/);
    await fireEvent.click(screen.getByRole('button', { name: 'Dismiss this notice' }));
    expect(screen.queryByTestId('notice')).toBeNull();
    expect(program.named('dismiss_notice')).toEqual([]);
  });
});

describe('an incoming call', () => {
  beforeEach(() => open());

  it('is announced at once, says who and for which number, and rings', async () => {
    invite();
    await tick();
    await waitFor(() => {
      expect(screen.getByRole('alert').textContent).toMatch(/Incoming call: \+120 255 501 07/);
    });
    expect(by('call-our-number').textContent).toMatch(/to \+442 079 460 018/);
    expect(tones.ring).toHaveBeenCalled();
    expect(document.title).toMatch(/^Incoming call/);
  });

  it('does not take the focus, so that Enter cannot answer it', async () => {
    const call = invite();
    await tick();
    expect(document.activeElement).toBe(document.body);
    await press('Enter');
    await press('5');
    expect(call.done).toEqual([]);
    expect(by('call-state').dataset.state).toBe('incoming');
  });

  it('is answered, and the ringing stops at once', async () => {
    const call = invite();
    await tick();
    tones.stop.mockClear();
    await press('a', { ctrlKey: true, shiftKey: true });
    expect(call.done).toEqual(['answer']);
    expect(tones.stop).toHaveBeenCalled();
    expect(by('call-state').textContent).toBe('Connecting…');
    call.accepted();
    await tick();
    expect(by('call-state').textContent).toBe('Connected');
  });

  it('is declined', async () => {
    const call = invite();
    await tick();
    await click('decline-button');
    expect(call.done).toEqual(['decline']);
    expect(by('call-state').textContent).toBe('Call declined');
  });
});

describe('the log', () => {
  const now = new Date(2026, 10, 23, 15, 0).getTime();
  const hour = 3_600_000;

  it('says of each call who, how it went and when', async () => {
    vi.spyOn(clock, 'now').mockReturnValue(now);
    clock.now = () => now;
    await open({
      call_log: {
        entries: [
          logEntry({ id: 'd', started_at_ms: now - hour, duration_s: 771 }),
          logEntry({
            id: 'c',
            direction: 'incoming',
            peer: 'client:support',
            outcome: 'missed',
            started_at_ms: now - 2 * hour,
          }),
          logEntry({
            id: 'b',
            outcome: 'failed',
            reason: 'Not in service.',
            started_at_ms: now - 20 * hour,
          }),
          logEntry({ id: 'a', direction: 'incoming', peer: '', started_at_ms: now - 100 * hour }),
        ],
        next: null,
      },
    });
    const rows = screen.getAllByTestId('log-entry');
    expect(rows.map((row) => [row.dataset.direction, row.dataset.outcome])).toEqual([
      ['outgoing', 'answered'],
      ['incoming', 'missed'],
      ['outgoing', 'failed'],
      ['incoming', 'answered'],
    ]);
    expect(rows[0]?.textContent).toMatch(/\+120 255 501 00.*Outgoing · 12 min 51 s/);
    expect(rows[1]?.textContent).toMatch(/support.*Incoming · Missed/);
    expect(rows[2]?.textContent).toMatch(/Not in service\./);
    expect(rows[3]?.textContent).toMatch(/Unknown caller/);
    screen.getByRole('heading', { name: 'Today' });
    screen.getByRole('heading', { name: 'Yesterday' });
  });

  it('redials at a click, and does not call parties without a number', async () => {
    await open({
      call_log: {
        entries: [
          logEntry({ id: 'b', started_at_ms: 2 }),
          logEntry({ id: 'a', peer: '', direction: 'incoming', started_at_ms: 1 }),
        ],
        next: null,
      },
    });
    const [first, second] = screen.getAllByTestId('log-entry');
    if (!first || !second) throw new Error('two rows were expected');
    await fireEvent.click(second);
    expect(line.placed).toHaveLength(0);
    expect(by('hint').textContent).toMatch(/no number/);
    await fireEvent.click(first);
    await waitFor(() => {
      expect(line.placed[0]?.params.To).toBe('+12025550100');
    });
  });

  it('takes in new, changed and removed rows in their place', async () => {
    await open({ call_log: { entries: [logEntry({ id: 'a', started_at_ms: 10 })], next: null } });
    const ids = () => screen.getAllByTestId('log-entry').map((row) => row.dataset.call);
    const change = async (over: Parameters<typeof logEntry>[0]) => {
      program.event({ event: 'call_log_changed', data: logEntry(over) });
      await tick();
    };
    await change({ id: 'b', started_at_ms: 20, outcome: null });
    await change({ id: 'c', started_at_ms: 10 });
    expect(ids()).toEqual(['b', 'c', 'a']);
    await change({ id: 'b', started_at_ms: 20, outcome: 'busy' });
    expect(ids()).toEqual(['b', 'c', 'a']);
    expect(screen.getAllByTestId('log-entry')[0]?.dataset.outcome).toBe('busy');
    program.event({ event: 'call_log_removed', data: 'c' });
    await tick();
    expect(ids()).toEqual(['b', 'a']);
  });

  it('loads older pages, each row once', async () => {
    program.answers.list_call_log = () => ({
      entries: [logEntry({ id: 'b', started_at_ms: 20 }), logEntry({ id: 'a', started_at_ms: 10 })],
      next: null,
    });
    const next = { started_at_ms: 20, id: 'b' };
    await open({ call_log: { entries: [logEntry({ id: 'b', started_at_ms: 20 })], next } });
    program.event({
      event: 'call_log_changed',
      data: logEntry({ id: 'old', started_at_ms: 5 }),
    });
    await tick();
    expect(screen.getAllByTestId('log-entry')).toHaveLength(1);
    await fireEvent.click(screen.getByRole('button', { name: 'Show older calls' }));
    await waitFor(() => {
      expect(screen.getAllByTestId('log-entry')).toHaveLength(2);
    });
    expect(program.named('list_call_log')).toEqual([{ before: next, limit: 50 }]);
    expect(screen.queryByRole('button', { name: 'Show older calls' })).toBeNull();
  });

  it('drops an older page that belongs to a first page of before', async () => {
    const pages: ((page: unknown) => void)[] = [];
    program.answers.list_call_log = () => new Promise((resolve) => pages.push(resolve));
    const b = logEntry({ id: 'b', started_at_ms: 20 });
    const c = logEntry({ id: 'c', started_at_ms: 30 });
    await open({ call_log: { entries: [b], next: { started_at_ms: 20, id: 'b' } } });
    const loading = dialer.loadOlderCalls();
    program.snapshot = {
      ...SNAPSHOT,
      call_log: { entries: [c], next: { started_at_ms: 30, id: 'c' } },
    };
    program.gap();
    await waitFor(() => {
      expect(dialer.log.entries).toEqual([c]);
    });
    pages[0]?.({ entries: [logEntry({ id: 'a', started_at_ms: 10 })], next: null });
    await loading;
    expect(dialer.log.entries).toEqual([c]);
    expect(dialer.log.hasOlder).toBe(true);
    expect(dialer.log.loading).toBe(false);
  });

  it('that is empty says what will be there', async () => {
    await open();
    screen.getByText('No calls yet');
  });
});

describe('practice mode', () => {
  const far_ends = [
    { number: '+12025550100', formatted: '+1 202-555-0100', does: 'Answers and echoes you' },
    { number: '+12025550102', formatted: '+1 202-555-0102', does: 'Is busy' },
  ];

  it('calls a practice number at a click and says in the call what it does', async () => {
    await open({ practice: { far_ends } });
    await fireEvent.click(screen.getByRole('button', { name: 'Call +1 202-555-0102: Is busy' }));
    await waitFor(() => {
      expect(line.placed[0]?.params.To).toBe('+12025550102');
    });
    screen.getByText('Is busy');
  });

  it('has someone call', async () => {
    await open({ practice: { far_ends } });
    await click('practice-incoming');
    expect(program.named('practice_incoming')).toEqual([{ call: { from: '+12025550100' } }]);
  });

  it('says which rule took the call, and leads there', async () => {
    const path = 'incoming.do_not_disturb';
    program.answers.practice_incoming = () => ({ path, answer: { type: 'voicemail' } });
    await open({ practice: { far_ends } });
    await click('practice-incoming');
    const told = await screen.findByTestId('practice-taken');
    expect(told.textContent).toMatch(/does not ring. Do not disturb is on: the caller hears your/);
    await click('practice-rule');
    expect(dialer.page).toBe('incoming');
    expect(dialer.rules.place).toBe(null);
  });

  it('shows why that did not work', async () => {
    program.answers.practice_incoming = () => refusal('The simulator is not running.');
    await open({ practice: { far_ends } });
    await click('practice-incoming');
    expect((await screen.findByTestId('hint')).textContent).toBe('The simulator is not running.');
    clock.pass(10_000);
    await tick();
    expect(screen.queryByTestId('hint')).toBeNull();
  });
});

describe('what the program tells', () => {
  it('notices stand until their cause is gone, or are dismissed', async () => {
    const notice = (id: string, dismissible: boolean) => ({
      id,
      error: { code: 'PortInUse', message: `Notice ${id}.`, detail: null } as const,
      dismissible,
    });
    await open({ notices: [notice('a', true), notice('b', false)] });
    expect(screen.getAllByTestId('notice')).toHaveLength(2);
    const dismiss = screen.getAllByRole('button', { name: 'Dismiss this notice' });
    expect(dismiss).toHaveLength(1);
    await fireEvent.click(screen.getByRole('button', { name: 'Dismiss this notice' }));
    expect(program.named('dismiss_notice')).toEqual([{ id: 'a' }]);
    program.event({ event: 'notices_changed', data: [] });
    await tick();
    expect(screen.queryByTestId('notice')).toBeNull();
  });

  it('that a token is due is passed on', async () => {
    await open();
    program.event({ event: 'token_renewal_due' });
    expect(renewToken).toHaveBeenCalledOnce();
  });

  it('what it asks for is done through the actions', async () => {
    await open();
    program.event({
      event: 'action_requested',
      data: { action: 'dial', number: '+1 202 555 0100' },
    });
    await waitFor(() => {
      expect(line.placed[0]?.params.To).toBe('+12025550100');
    });
  });
});

describe('reloading, which would end the call', () => {
  const reload = () => fireEvent.keyDown(document.body, { key: 'r', ctrlKey: true });
  const menu = (target: Element) => fireEvent.contextMenu(target);

  it('is kept from the keys and the menu of our own window', async () => {
    await open();
    expect(await reload()).toBe(false);
    expect(await fireEvent.keyDown(document.body, { key: 'F5' })).toBe(false);
    expect(await menu(document.body)).toBe(false);
    expect(await menu(input())).toBe(true);
  });

  it('is left to a browser', async () => {
    program.kind = 'browser';
    await open();
    expect(await reload()).toBe(true);
    expect(await menu(document.body)).toBe(true);
  });
});

describe('the list of keys', () => {
  it('opens with ?, keeps the focus, and gives it back', async () => {
    await open();
    expect(document.activeElement).toBe(input());
    await press('?');
    const dialog = screen.getByRole('dialog', { name: 'Keys' });
    expect(document.activeElement).toBe(dialog);
    expect(dialog.textContent).toMatch(/Ctrl\+Shift\+A.*Answer/);
    await press('Tab');
    expect(document.activeElement?.textContent).toBe('Close');
    await press('Escape');
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(document.activeElement).toBe(input());
  });
});
