import { t, type PlainKey } from '../i18n';
import type { Answer, CallLogEntry, CallOutcome, Taken } from '../host/bindings';
import type { PhoneState } from '../phone/state';

/** `0:42`, `12:05`, `1:02:03`. */
export function timer(seconds: number): string {
  const s = String(seconds % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  const m = String(minutes % 60).padStart(2, '0');
  return `${Math.floor(minutes / 60)}:${m}:${s}`;
}

/** `42 s`, `6 min 2 s`, `1 h 2 min`. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return t('duration.seconds', { s: seconds });
  if (minutes < 60) return t('duration.minutes', { m: minutes, s: seconds % 60 });
  return t('duration.hours', { h: Math.floor(minutes / 60), m: minutes % 60 });
}

export function outcomeWords(outcome: CallOutcome | null): string {
  switch (outcome) {
    case null:
      return t('outcome.running');
    case 'answered':
      return t('outcome.answered');
    case 'missed':
      return t('outcome.missed');
    case 'declined':
      return t('outcome.declined');
    case 'voicemail':
      return t('outcome.voicemail');
    case 'forwarded':
      return t('outcome.forwarded');
    case 'busy':
      return t('outcome.busy');
    case 'no_answer':
      return t('outcome.no_answer');
    case 'canceled':
      return t('outcome.canceled');
    case 'failed':
      return t('outcome.failed');
  }
}

/** How a logged call ended; whoever hung up at the tone left no message. */
export function resultWords({ outcome, recordings }: CallLogEntry): string {
  const messages = recordings.filter(({ message }) => message);
  const left = messages.length === 0 || messages.some(({ duration_s }) => duration_s !== 0);
  return outcome === 'voicemail' && !left ? t('outcome.noMessage') : outcomeWords(outcome);
}

/** Why the phone did not ring, and what the caller got instead. */
export function takenWords({ path, answer }: Taken): string {
  return t('practice.taken', { why: t(WHY[path] ?? 'taken.open'), what: gotWords(answer) });
}

/** The rules that take callers, as reasons. */
const WHY: Readonly<Record<string, PlainKey>> = {
  'incoming.closed': 'taken.closed',
  'incoming.hidden_number': 'taken.hidden',
  'incoming.do_not_disturb': 'taken.doNotDisturb',
  'incoming.offline': 'taken.offline',
  'incoming.busy': 'taken.busy',
};

/** What a caller gets, behind “the caller”. */
export function gotWords(answer: Answer): string {
  switch (answer.type) {
    case 'ring':
      return t('got.unavailable');
    case 'forward':
      return t('got.forward', { number: answer.to });
    case 'voicemail':
      return t('got.voicemail');
    case 'menu':
      return t('got.menu');
    case 'queue':
      return t('got.queue');
    case 'message':
      return answer.prompt.type === 'say'
        ? t('got.message', { text: answer.prompt.text })
        : t('got.recording');
    case 'decline':
      return t('got.decline');
  }
}

/** The state of the phone in words, as seen and as read out. */
export function stateWords(state: PhoneState): string {
  switch (state.name) {
    case 'idle':
      return '';
    case 'dialing':
      return t('call.dialing');
    case 'ringing':
      return t('call.ringing');
    case 'incoming':
      return state.call.answering ? t('call.answering') : t('call.incoming');
    case 'in-call':
      return state.call.muted ? t('call.muted') : t('call.connected');
    case 'reconnecting':
      return t('call.reconnecting');
    case 'ended':
      return endedWords(state);
  }
}

function endedWords({ ending, verdict }: Extract<PhoneState, { name: 'ended' }>): string {
  // Twilio knows better why an outgoing call was not answered.
  const open = ending.how === 'unanswered' || ending.how === 'failed';
  if (open && verdict && verdict.outcome !== 'failed') return outcomeWords(verdict.outcome);
  switch (ending.how) {
    case 'hung_up':
      return t('ended.hung_up');
    case 'ended':
      return t('ended.ended');
    case 'canceled':
      return t('ended.canceled');
    case 'unanswered':
      return t('ended.unanswered');
    case 'declined':
      return t('ended.declined');
    case 'missed':
      return t('ended.missed');
    case 'failed':
      return t('ended.failed');
  }
}

/** Why the call ended, when that needs a sentence. */
export function endedReason({ ending, verdict }: Extract<PhoneState, { name: 'ended' }>): string {
  return verdict?.reason ?? (ending.how === 'failed' ? ending.message : '');
}

/** Rows of one day under the name of that day. */
export interface Day {
  name: string;
  entries: CallLogEntry[];
}

/** Groups rows, newest first, by the day they began. `locale` as in `Intl`; the system's otherwise. */
export function byDay(
  entries: readonly CallLogEntry[],
  now: number,
  locale?: string | string[],
): Day[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const yesterday = new Date(midnight - 1).setHours(0, 0, 0, 0);
  const long = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
  const withYear = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
  const days: Day[] = [];
  for (const entry of entries) {
    const start = entry.started_at_ms;
    const sameYear = new Date(start).getFullYear() === new Date(now).getFullYear();
    const name =
      start >= midnight
        ? t('recents.today')
        : start >= yesterday
          ? t('recents.yesterday')
          : (sameYear ? long : withYear).format(start);
    const last = days.at(-1);
    if (last?.name === name) last.entries.push(entry);
    else days.push({ name, entries: [entry] });
  }
  return days;
}
