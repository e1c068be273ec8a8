import type { CallDirection, CallId, CallOutcome } from '../host/bindings';
import type { CallStats, LineEvent, Trouble } from './line';

/** One call, from its first moment to its last. Times are Unix milliseconds. */
export interface Call {
  readonly id: CallId;
  readonly direction: CallDirection;
  /** The other party: E.164, `client:…`, or empty when withheld. */
  readonly peer: string;
  /** Which of our numbers was called; incoming calls only. */
  readonly ourNumber: string | null;
  readonly callSid: string | null;
  readonly parentCallSid: string | null;
  readonly startedAt: number;
  readonly answeredAt: number | null;
  readonly muted: boolean;
  /** Keys pressed so far. */
  readonly digits: string;
  /** The agent answered; the sound is not up yet. */
  readonly answering: boolean;
  /** The far end's network plays its own ringing tone. */
  readonly earlyMedia: boolean;
  readonly troubles: readonly Trouble[];
  readonly stats: CallStats | null;
}

/** How a call ended, as far as the phone itself can tell. */
export type Ending =
  /** The agent ended a call in which the two spoke. */
  | { how: 'hung_up' }
  /** The other party did. */
  | { how: 'ended' }
  /** The agent hung up before an answer. */
  | { how: 'canceled' }
  /** Outgoing, over before an answer; the call log soon knows whether busy or unanswered. */
  | { how: 'unanswered' }
  /** The agent declined. */
  | { how: 'declined' }
  /** The caller gave up, or another device answered. */
  | { how: 'missed' }
  /** An error; `message` is for the agent. */
  | { how: 'failed'; code: number; message: string };

/** What the call log adds to an ending once Twilio has told it. */
export interface Verdict {
  outcome: CallOutcome;
  reason: string | null;
}

/**
 * Where the phone stands.
 *
 * ```text
 *            dial              ringing             accepted
 *   idle ───────────▶ dialing ────────▶ ringing ─────────────▶ in-call ◀──────┐
 *    ▲ ▲                 │ └──────────────┼────── accepted ──────▲ │          │ reconnected
 *    │ │     invite      │                │                      │ │          │
 *    │ └─────────────▶ incoming ──────────┼────── accepted ──────┘ └───▶ reconnecting
 *    │                   │                │                        │          │
 *    │ dismiss           ▼                ▼   hang up, decline,    ▼          │
 *    └────────────────  ended ◀──── canceled, ended, failed ──────────────────┘
 * ```
 *
 * From `ended` a new call may begin at once; it need not be dismissed first.
 */
export type PhoneState =
  | { readonly name: 'idle' }
  | LiveState
  | {
      readonly name: 'ended';
      readonly call: Call;
      readonly ending: Ending;
      readonly endedAt: number;
      readonly verdict: Verdict | null;
    };

/** A state in which a call exists. */
export type LiveState =
  { readonly name: 'dialing' | 'ringing' | 'incoming'; readonly call: Call } | ConnectedState;

/** A state in which the two parties are connected, or were a moment ago. */
export interface ConnectedState {
  readonly name: 'in-call' | 'reconnecting';
  readonly call: Call;
}

/** What the agent does to the call there is. */
export type AgentEvent =
  | { type: 'answer' }
  | { type: 'decline' }
  | { type: 'hang_up' }
  | { type: 'set_muted'; muted: boolean }
  | { type: 'press'; digits: string };

/** The line's events, with a sentence for every failure. */
export type ExplainedEvent =
  Exclude<LineEvent, { type: 'failed' }> | { type: 'failed'; code: number; message: string };

/** Everything that moves a call that exists. */
export type CallEvent = ExplainedEvent | AgentEvent;

export function isLive(state: PhoneState): state is LiveState {
  return state.name !== 'idle' && state.name !== 'ended';
}

/** Whether the two parties are, or were a moment ago, connected. */
export function isConnected(state: PhoneState): state is ConnectedState {
  return state.name === 'in-call' || state.name === 'reconnecting';
}

/** Whether the call is outgoing and not answered yet. */
export function isOutgoingUnanswered(state: PhoneState): boolean {
  return state.name === 'dialing' || state.name === 'ringing';
}

/** The state after `event`; the same object when the event changes nothing or is impossible now. */
export function transition(state: LiveState, event: CallEvent, now: number): PhoneState {
  const { call } = state;
  switch (event.type) {
    case 'ringing':
      if (!isOutgoingUnanswered(state)) return state;
      return {
        name: 'ringing',
        call: { ...call, callSid: event.callSid ?? call.callSid, earlyMedia: event.earlyMedia },
      };
    case 'accepted':
      if (isConnected(state)) return state;
      return {
        name: 'in-call',
        call: {
          ...call,
          callSid: event.callSid ?? call.callSid,
          answeredAt: now,
          answering: false,
        },
      };
    case 'reconnecting':
      return state.name === 'in-call' ? { name: 'reconnecting', call } : state;
    case 'reconnected':
      return state.name === 'reconnecting' ? { name: 'in-call', call } : state;
    case 'canceled':
      return ended(state, { how: 'missed' }, now);
    case 'ended':
      return ended(state, remoteEnding(state), now);
    case 'failed':
      return ended(state, { how: 'failed', code: event.code, message: event.message }, now);
    case 'trouble': {
      const others = call.troubles.filter((known) => known !== event.trouble);
      return {
        ...state,
        call: { ...call, troubles: event.begins ? [...others, event.trouble] : others },
      };
    }
    case 'stats':
      return { ...state, call: { ...call, stats: event.stats } };
    case 'answer':
      if (state.name !== 'incoming' || call.answering) return state;
      return { name: 'incoming', call: { ...call, answering: true } };
    case 'decline':
      return state.name === 'incoming' ? ended(state, { how: 'declined' }, now) : state;
    case 'hang_up':
      // A call that only rings cannot be hung up; it is declined.
      if (state.name === 'incoming' && !call.answering) return state;
      return ended(state, { how: isOutgoingUnanswered(state) ? 'canceled' : 'hung_up' }, now);
    case 'set_muted':
      return { ...state, call: { ...call, muted: event.muted } };
    case 'press':
      if (!isConnected(state)) return state;
      return { ...state, call: { ...call, digits: call.digits + event.digits } };
  }
}

function remoteEnding(state: LiveState): Ending {
  if (isConnected(state)) return { how: 'ended' };
  return state.call.direction === 'incoming' ? { how: 'missed' } : { how: 'unanswered' };
}

function ended({ call }: LiveState, ending: Ending, now: number): PhoneState {
  return { name: 'ended', call, ending, endedAt: now, verdict: null };
}
