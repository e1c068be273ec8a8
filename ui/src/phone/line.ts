/**
 * What the phone needs of whatever carries calls. `voice/` implements it with the Voice SDK; the
 * phone itself never sees an SDK type.
 */
export interface Line {
  /**
   * Starts an outgoing call. `params` go to the TwiML App as they are. Never throws: a call that
   * cannot be placed reports `failed`.
   */
  place(params: Readonly<Record<string, string>>): LineCall;
}

/** One call on the line. Calls on a call that is over do nothing. */
export interface LineCall {
  /** Hands every event to `handler`, those from before included. Set once. */
  listen(handler: (event: LineEvent) => void): void;
  /** Accepts an incoming call. */
  answer(): void;
  /** Rejects an incoming call. */
  decline(): void;
  /** Ends the call, however far it has come. */
  hangUp(): void;
  setMuted(muted: boolean): void;
  /** Presses keys, `0-9*#`. The caller leaves the tones time to be played. */
  sendDigits(digits: string): void;
}

/** Who is calling, as the invite tells. */
export interface Invite {
  /** The other party: E.164, `client:…`, or empty when withheld. */
  peer: string;
  /** Which of our numbers was called (custom parameter `called`). */
  ourNumber: string | null;
  callSid: string;
  /** The parent leg (custom parameter `parent`). */
  parentCallSid: string | null;
}

/** Something of a call's sound or connection that the agent should know while it lasts. */
export type Trouble =
  | 'connection_lost'
  | 'high_delay'
  | 'high_jitter'
  | 'high_loss'
  | 'low_quality'
  | 'nothing_heard'
  | 'nothing_sent'
  | 'microphone_silent';

/** Measurements of the last second. Delays in milliseconds, loss in percent. */
export interface CallStats {
  rttMs: number | null;
  jitterMs: number | null;
  lossPercent: number | null;
  /** Mean opinion score, 1 to 5. */
  mos: number | null;
  codec: string | null;
}

/** What happens to a call. After `canceled`, `ended` or `failed` nothing follows. */
export type LineEvent =
  | { type: 'ringing'; callSid: string | null; earlyMedia: boolean }
  | { type: 'accepted'; callSid: string | null }
  | { type: 'reconnecting' }
  | { type: 'reconnected' }
  | { type: 'canceled' }
  | { type: 'ended' }
  | {
      type: 'failed';
      /** Twilio's code; 0 when there is none. */
      code: number;
      /** For the agent, when the line knows more than the code says. */
      message: string | null;
    }
  | { type: 'trouble'; trouble: Trouble; begins: boolean }
  | { type: 'stats'; stats: CallStats };

/** Whether nothing can follow `event`. */
export function isFinal(event: LineEvent): boolean {
  return event.type === 'canceled' || event.type === 'ended' || event.type === 'failed';
}
