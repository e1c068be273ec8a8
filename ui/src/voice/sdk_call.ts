import type { Call } from '@twilio/voice-sdk';
import {
  isFinal,
  type CallStats,
  type LineCall,
  type LineEvent,
  type Trouble,
} from '../phone/line';

/** The SDK's warnings, in our words. Others exist and mean nothing to an agent. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  'ice-connectivity-lost': 'connection_lost',
  'high-rtt': 'high_delay',
  'high-jitter': 'high_jitter',
  'high-packet-loss': 'high_loss',
  'high-packets-lost-fraction': 'high_loss',
  'low-mos': 'low_quality',
  'low-bytes-received': 'nothing_heard',
  'low-bytes-sent': 'nothing_sent',
  'constant-audio-input-level': 'microphone_silent',
};

/** Failures after which the SDK leaves the call standing; the application must end it. */
const LEFT_STANDING = new Set([53400, 53402]);

/** Reported when a call is lost together with its signalling. */
const SIGNALLING_LOST = 53001;

/** What a call needs of the line it is on. */
export interface CallContext {
  /** The SDK gave the call up without closing it: sound and socket must be cleared away. */
  abandoned(call: Call): void;
  /** The call is over, whichever way. */
  over(): void;
  /** The loudness of the SDK's own streams, 0 to 1; not called with the native engine. */
  levels(input: number, output: number): void;
  /** A sentence that explains `code` better than the code, when there is one. */
  explain(code: number): string | null;
}

/** One call of the SDK as a {@link LineCall}: one ending, whatever the SDK emits on the way to it. */
export class SdkCall implements LineCall {
  readonly #context: CallContext;
  #call: Call | null = null;
  #handler: ((event: LineEvent) => void) | null = null;
  #waiting: LineEvent[] = [];
  #over = false;
  #error: { code: number } | null = null;
  /** What the agent asked for before the SDK had a call to ask. */
  #leave = false;
  #muted = false;
  #starting = false;

  constructor(context: CallContext) {
    this.#context = context;
  }

  /** Whether the call is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the SDK is at work on it and nothing has come of that yet. */
  get starting(): boolean {
    return this.#starting && !this.#over;
  }

  listen(handler: (event: LineEvent) => void): void {
    this.#handler = handler;
    for (const event of this.#waiting.splice(0)) handler(event);
  }

  /** The SDK made the call. It is ended at once if the agent has given up meanwhile. */
  attach(call: Call): void {
    this.#call = call;
    this.#starting = directionOf(call) === 'OUTGOING';
    call.on('ringing', (hasEarlyMedia: boolean) => {
      this.#starting = false;
      this.#emit({ type: 'ringing', callSid: this.#sid(), earlyMedia: hasEarlyMedia });
    });
    call.on('accept', () => {
      this.#starting = false;
      this.#emit({ type: 'accepted', callSid: this.#sid() });
    });
    call.on('reconnecting', () => {
      this.#emit({ type: 'reconnecting' });
    });
    call.on('reconnected', () => {
      this.#emit({ type: 'reconnected' });
    });
    call.on('cancel', () => {
      this.#emit({ type: 'canceled' });
    });
    call.on('reject', () => {
      this.#emit({ type: 'ended' });
    });
    call.on('disconnect', () => {
      // Some errors are emitted right after the disconnection they cause.
      queueMicrotask(() => {
        this.#finish();
      });
    });
    call.on('error', (error: { code?: number; message?: string }) => {
      const code = error.code ?? 0;
      console.warn(`the SDK reports an error of the call: ${code} ${error.message ?? ''}`);
      this.#error ??= { code };
      if (LEFT_STANDING.has(code)) call.disconnect();
    });
    call.on('transportClose', () => {
      // The SDK changes the status right after this event.
      const ringing = statusOf(call) === 'pending';
      queueMicrotask(() => {
        if (this.#over || (!ringing && statusOf(call) !== 'closed')) return;
        this.#context.abandoned(call);
        this.fail(SIGNALLING_LOST);
      });
    });
    call.on('warning', (name: string) => {
      this.#trouble(name, true);
    });
    call.on('warning-cleared', (name: string) => {
      this.#trouble(name, false);
    });
    call.on('volume', (input: number, output: number) => {
      this.#context.levels(input, output);
    });
    call.on('sample', (sample: Sample) => {
      this.#emit({ type: 'stats', stats: statsOf(sample) });
    });
    if (this.#muted) call.mute(true);
    if (this.#leave || this.#over) call.disconnect();
  }

  /** Ends the call with an error that the SDK did not report. */
  fail(code: number): void {
    this.#emit({ type: 'failed', code, message: this.#context.explain(code) });
  }

  answer(): void {
    this.#starting = true;
    this.#call?.accept();
  }

  decline(): void {
    this.#call?.reject();
  }

  hangUp(): void {
    this.#leave = true;
    this.#call?.disconnect();
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    this.#call?.mute(muted);
  }

  sendDigits(digits: string): void {
    this.#call?.sendDigits(digits);
  }

  #finish(): void {
    if (this.#error) {
      this.fail(this.#error.code);
    } else {
      this.#emit({ type: 'ended' });
    }
  }

  #trouble(name: string, begins: boolean): void {
    const trouble = TROUBLES[name];
    if (trouble) this.#emit({ type: 'trouble', trouble, begins });
  }

  #sid(): string | null {
    return this.#call?.parameters.CallSid ?? null;
  }

  #emit(event: LineEvent): void {
    if (this.#over) return;
    this.#over = isFinal(event);
    if (this.#handler) this.#handler(event);
    else this.#waiting.push(event);
    if (this.#over) this.#context.over();
  }
}

/** The SDK's enums are values of its module, which is loaded late; their texts are documented. */
const directionOf = (call: Call): string => call.direction;
const statusOf = (call: Call): string => call.status();

/** What we read of the SDK's `RTCSample`. */
interface Sample {
  rtt?: unknown;
  jitter?: unknown;
  mos?: unknown;
  codecName?: unknown;
  packetsLostFraction?: unknown;
}

function statsOf(sample: Sample): CallStats {
  return {
    rttMs: numberOrNull(sample.rtt),
    jitterMs: numberOrNull(sample.jitter),
    lossPercent: numberOrNull(sample.packetsLostFraction),
    mos: numberOrNull(sample.mos),
    codec: typeof sample.codecName === 'string' ? sample.codecName : null,
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
