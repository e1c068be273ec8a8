import type { CallId, CallLogEntry, CallReport, SdkCallEvent } from '../host/bindings';
import { t } from '../i18n';
import type { Clock } from './clock';
import { DtmfQueue } from './dtmf_queue';
import { isFinal, type Invite, type Line, type LineCall, type LineEvent } from './line';
import { reasonFor } from './reasons';
import {
  isLive,
  transition,
  type AgentEvent,
  type Call,
  type CallEvent,
  type ExplainedEvent,
  type PhoneState,
} from './state';

/** Without a sign of life from Twilio for this long, a call that is being placed has failed. */
export const DIAL_TIMEOUT_MS = 30_000;

/** An answered call whose sound is not up after this long has failed. */
export const ANSWER_TIMEOUT_MS = 20_000;

/** How long an ordinary ending stays on the screen. */
export const ENDED_SHOWN_MS = 4_000;

/** How long an ending that needs reading stays. */
export const FAILURE_SHOWN_MS = 12_000;

/** A real SID of a call; the SDK's temporary names (`TJS…`) are none. */
const CALL_SID = /^CA[0-9a-fA-F]{32}$/;

/** What the phone works with. */
export interface PhoneParts {
  line: Line;
  clock: Clock;
  /** Makes the name of a new call, a UUID v4. */
  newId: () => string;
  /** Tells the program what happened to a call. Never throws. */
  report: (report: CallReport) => void;
}

/** One phone with one call at a time. It owns {@link PhoneState} and is the only one to change it. */
export class Phone {
  readonly #parts: PhoneParts;
  readonly #listeners = new Set<(state: PhoneState) => void>();
  readonly #digits: DtmfQueue;
  #state: PhoneState = { name: 'idle' };
  #lineCall: LineCall | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(parts: PhoneParts) {
    this.#parts = parts;
    this.#digits = new DtmfQueue(parts.clock, (digits) => this.#lineCall?.sendDigits(digits));
  }

  get state(): PhoneState {
    return this.#state;
  }

  /** Calls `listener` now and after every change. */
  subscribe(listener: (state: PhoneState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Places the call `id`, which the program permitted, to a number in E.164 or an address. While
   * there is a call it does nothing and says `false`.
   */
  dial(to: string, id: CallId): boolean {
    if (isLive(this.#state)) return false;
    const call = this.#begin('outgoing', { peer: to }, id);
    const lineCall = this.#parts.line.place({ To: to, CallId: call.id });
    this.#adopt({ name: 'dialing', call }, lineCall, { type: 'dialing' });
    return true;
  }

  /** Takes in a call that rings. A second one while there is a call is told that we are busy. */
  receive(invite: Invite, lineCall: LineCall): 'ringing' | 'busy' {
    const call = this.#begin('incoming', invite);
    if (isLive(this.#state)) {
      this.#report(call, { type: 'incoming' });
      this.#report(call, { type: 'failed', code: 31486, message: t('reason.agentBusy') });
      lineCall.decline();
      return 'busy';
    }
    this.#adopt({ name: 'incoming', call }, lineCall, { type: 'incoming' });
    return 'ringing';
  }

  answer(): void {
    this.#act({ type: 'answer' });
  }

  decline(): void {
    this.#act({ type: 'decline' });
  }

  hangUp(): void {
    this.#act({ type: 'hang_up' });
  }

  setMuted(muted: boolean): void {
    this.#act({ type: 'set_muted', muted });
  }

  /** Sends keys, `0-9*#`, to the far end. */
  press(digits: string): void {
    this.#act({ type: 'press', digits });
  }

  /** Leaves the ending and is idle. */
  dismiss(): void {
    if (this.#state.name === 'ended') this.#become({ name: 'idle' });
  }

  /** Learns from the call log how the call that just ended really ended. */
  learn(entry: CallLogEntry): void {
    const state = this.#state;
    if (state.name !== 'ended' || state.call.id !== entry.id || entry.outcome === null) return;
    this.#become({ ...state, verdict: { outcome: entry.outcome, reason: entry.reason } });
  }

  #begin(
    direction: Call['direction'],
    from: Pick<Call, 'peer'> & Partial<Invite>,
    id: CallId = this.#parts.newId(),
  ): Call {
    return {
      id,
      direction,
      peer: from.peer,
      ourNumber: from.ourNumber ?? null,
      callSid: from.callSid ?? null,
      parentCallSid: from.parentCallSid ?? null,
      startedAt: this.#parts.clock.now(),
      answeredAt: null,
      muted: false,
      digits: '',
      answering: false,
      earlyMedia: false,
      troubles: [],
      stats: null,
    };
  }

  #adopt(state: PhoneState & { call: Call }, lineCall: LineCall, what: SdkCallEvent): void {
    this.#lineCall = lineCall;
    this.#report(state.call, what);
    this.#become(state);
    let over = false;
    lineCall.listen((event) => {
      if (over) return;
      over = isFinal(event);
      this.#hear(state.call, event);
    });
  }

  /** An event of the line, possibly of a call that the agent has already left. */
  #hear(begun: Call, raw: LineEvent): void {
    const event: ExplainedEvent =
      raw.type === 'failed' ? { ...raw, message: raw.message ?? reasonFor(raw.code) } : raw;
    const state = this.#state;
    if (isLive(state) && state.call.id === begun.id) {
      this.#move(event);
      const after = this.#state;
      // What means nothing in this state, such as reconnecting while it rings, is no news either.
      if (after !== state) this.#reportEvent(after.name === 'idle' ? begun : after.call, event);
      return;
    }
    // The agent's own doing is reported already; the end completes it.
    if (isFinal(event)) this.#report(begun, { type: 'ended' });
  }

  #reportEvent(call: Call, event: ExplainedEvent): void {
    switch (event.type) {
      case 'ringing':
      case 'accepted':
      case 'reconnecting':
      case 'reconnected':
      case 'ended':
        this.#report(call, { type: event.type });
        break;
      case 'canceled':
        this.#report(call, { type: 'canceled_by_caller' });
        break;
      case 'failed':
        this.#report(call, { type: 'failed', code: event.code, message: event.message });
        break;
      case 'trouble':
      case 'stats':
        break;
    }
  }

  #act(event: AgentEvent): void {
    const before = this.#state;
    if (!isLive(before)) return;
    const lineCall = this.#lineCall;
    this.#move(event);
    if (this.#state === before) return;
    switch (event.type) {
      case 'answer':
        lineCall?.answer();
        break;
      case 'decline':
        this.#report(before.call, { type: 'declined' });
        lineCall?.decline();
        break;
      case 'hang_up':
        this.#report(before.call, { type: 'hung_up' });
        lineCall?.hangUp();
        break;
      case 'set_muted':
        lineCall?.setMuted(event.muted);
        break;
      case 'press':
        this.#digits.push(event.digits);
        break;
    }
  }

  #move(event: CallEvent): void {
    if (!isLive(this.#state)) return;
    this.#become(transition(this.#state, event, this.#parts.clock.now()));
  }

  #become(state: PhoneState): void {
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (!isLive(state)) {
      this.#lineCall = null;
      this.#digits.stop();
    }
    this.#setTimer(before, state);
    for (const listener of this.#listeners) listener(state);
  }

  /** Each state has at most one timer; a change within a state leaves it running. */
  #setTimer(before: PhoneState, state: PhoneState): void {
    const duty = timerOf(state);
    const former = timerOf(before);
    if (duty?.name === former?.name && sameCall(before, state)) return;
    this.#cancelTimer?.();
    this.#cancelTimer = duty
      ? this.#parts.clock.after(duty.ms, () => {
          this.#expire(duty.name);
        })
      : null;
  }

  #expire(name: TimerName): void {
    const state = this.#state;
    if (name === 'ended' || name === 'failed') {
      this.dismiss();
    } else if (isLive(state)) {
      const lineCall = this.#lineCall;
      const message = t(name === 'dialing' ? 'reason.noSign' : 'reason.soundNotStarted');
      this.#move({ type: 'failed', code: 31003, message });
      this.#report(state.call, { type: 'failed', code: 31003, message });
      lineCall?.hangUp();
    }
  }

  #report(call: Call, what: SdkCallEvent): void {
    this.#parts.report({
      call: call.id,
      direction: call.direction,
      call_sid: sidOrNull(call.callSid),
      parent_call_sid: sidOrNull(call.parentCallSid),
      peer: call.peer,
      our_number: call.ourNumber,
      what,
    });
  }
}

type TimerName = 'dialing' | 'answering' | 'ended' | 'failed';

function timerOf(state: PhoneState): { name: TimerName; ms: number } | null {
  if (state.name === 'dialing') return { name: 'dialing', ms: DIAL_TIMEOUT_MS };
  if (state.name === 'incoming' && state.call.answering) {
    return { name: 'answering', ms: ANSWER_TIMEOUT_MS };
  }
  if (state.name !== 'ended') return null;
  return state.ending.how === 'failed' || (state.verdict?.reason ?? null) !== null
    ? { name: 'failed', ms: FAILURE_SHOWN_MS }
    : { name: 'ended', ms: ENDED_SHOWN_MS };
}

function sameCall(before: PhoneState, after: PhoneState): boolean {
  return before.name !== 'idle' && after.name !== 'idle' && before.call.id === after.call.id;
}

function sidOrNull(sid: string | null): string | null {
  return sid !== null && CALL_SID.test(sid) ? sid : null;
}
