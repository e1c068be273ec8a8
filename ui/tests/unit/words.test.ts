import { describe, expect, it } from 'vitest';
import type { CallOutcome } from '../../src/host/bindings';
import { gradeOf } from '../../src/phone/quality';
import type { Call, Ending, PhoneState } from '../../src/phone/state';
import { byDay, duration, endedReason, stateWords, timer } from '../../src/views/words';
import { practiceWebSocket } from '../../src/voice/websocket';
import { logEntry } from './program';

it.each([
  [0, '0:00'],
  [42, '0:42'],
  [725, '12:05'],
  [3723, '1:02:03'],
])('%i s on the timer', (seconds, text) => {
  expect(timer(seconds)).toBe(text);
});

it.each([
  [0, '0 s'],
  [42, '42 s'],
  [362, '6 min 2 s'],
  [3720, '1 h 2 min'],
])('%i s in the log', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

describe('the end of a call', () => {
  const ended = (ending: Ending, outcome?: CallOutcome, reason: string | null = null) =>
    ({
      name: 'ended',
      call: {} as Call,
      ending,
      endedAt: 0,
      verdict: outcome ? { outcome, reason } : null,
    }) satisfies PhoneState;
  const failed: Ending = { how: 'failed', code: 31486, message: 'The line is busy.' };

  it('is in the words of the log when only that knows', () => {
    expect(stateWords(ended({ how: 'unanswered' }))).toBe('Call ended');
    expect(stateWords(ended({ how: 'unanswered' }, 'no_answer'))).toBe('No answer');
    expect(stateWords(ended(failed, 'busy'))).toBe('Busy');
    expect(stateWords(ended(failed, 'failed'))).toBe('Call failed');
    expect(stateWords(ended({ how: 'hung_up' }, 'answered'))).toBe('You hung up');
  });

  it('has the best reason there is', () => {
    expect(endedReason(ended(failed))).toBe('The line is busy.');
    expect(endedReason(ended(failed, 'busy', 'The other party is busy.'))).toBe(
      'The other party is busy.',
    );
    expect(endedReason(ended({ how: 'ended' }))).toBe('');
  });
});

describe('the log by days', () => {
  const at = (...when: [number, number, number, number]) => new Date(...when).getTime();
  const now = at(2026, 10, 23, 15);

  it('starts a day at midnight and names the last two', () => {
    const entries = [
      logEntry({ id: 'e', started_at_ms: at(2026, 10, 23, 0) }),
      logEntry({ id: 'd', started_at_ms: at(2026, 10, 22, 23) }),
      logEntry({ id: 'c', started_at_ms: at(2026, 10, 22, 0) }),
      logEntry({ id: 'b', started_at_ms: at(2026, 10, 21, 23) }),
      logEntry({ id: 'a', started_at_ms: at(2025, 11, 31, 12) }),
    ];
    expect(
      byDay(entries, now, 'en-GB').map(({ name, entries: rows }) => [name, rows.length]),
    ).toEqual([
      ['Today', 1],
      ['Yesterday', 2],
      ['Saturday 21 November', 1],
      ['31 December 2025', 1],
    ]);
  });
});

describe('the quality of the connection', () => {
  const stats = (mos: number | null) => ({
    rttMs: 1,
    jitterMs: 1,
    lossPercent: 0,
    mos,
    codec: 'opus',
  });

  it('is what was measured, and poor while there is trouble', () => {
    expect(gradeOf([], null)).toBeNull();
    expect(gradeOf([], stats(null))).toBeNull();
    expect(gradeOf([], stats(4.3))).toBe(3);
    expect(gradeOf([], stats(3.4))).toBe(2);
    expect(gradeOf([], stats(2))).toBe(1);
    expect(gradeOf(['high_jitter'], stats(4.3))).toBe(1);
  });

  it('is not the microphone’s fault', () => {
    expect(gradeOf(['microphone_silent'], stats(4.3))).toBe(3);
  });
});

describe('the WebSocket of practice mode', () => {
  const opened: { url: string; protocols: unknown }[] = [];
  class Recorder {
    static readonly OPEN = 1;
    readonly readyState = Recorder.OPEN;
    constructor(url: string | URL, protocols?: string | string[]) {
      opened.push({ url: String(url), protocols });
    }
  }
  const Practice = practiceWebSocket(Recorder as unknown as typeof WebSocket, '127.0.0.1:4321');

  it.each([
    ['wss://127.0.0.1:4321/signal', 'ws://127.0.0.1:4321/signal'],
    ['wss://127.0.0.1:4321/other', 'wss://127.0.0.1:4321/other'],
    ['wss://127.0.0.1:9999/signal', 'wss://127.0.0.1:9999/signal'],
    ['wss://voice-js.roaming.twilio.com/signal', 'wss://voice-js.roaming.twilio.com/signal'],
  ])('opens %s as %s', (url, expected) => {
    new Practice(url, 'p');
    expect(opened.at(-1)).toEqual({ url: expected, protocols: 'p' });
  });

  it('keeps the constants', () => {
    expect(Practice.OPEN).toBe(1);
  });
});
