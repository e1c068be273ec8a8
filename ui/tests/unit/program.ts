import type {
  CallLogEntry,
  Commands,
  HostEvent,
  NumberInspection,
  Snapshot,
} from '../../src/host/bindings';
import { HostError, type Host } from '../../src/host/host';

export const SNAPSHOT: Snapshot = {
  agent: {
    name: 'Albert',
    identity: 'albert',
    caller_id: '+442079460018',
    caller_id_formatted: '+44 20 7946 0018',
  },
  signalling: { type: 'practice', host: '127.0.0.1:1' },
  native_voice: 'fallback',
  lights: {
    calls_out: { state: 'ready', reason: null },
    calls_in: { state: 'ready', reason: null },
  },
  notices: [],
  practice: null,
  call_log: { entries: [], next: null },
};

export function logEntry(over: Partial<CallLogEntry> & { id: string }): CallLogEntry {
  return {
    direction: 'outgoing',
    peer: '+12025550100',
    our_number: null,
    started_at_ms: 0,
    answered_at_ms: null,
    ended_at_ms: null,
    duration_s: null,
    outcome: 'answered',
    reason: null,
    error_code: null,
    legs: [],
    ...over,
  };
}

/** Groups by three what follows a plus. */
export function inspect(text: string): NumberInspection {
  const digits = text.replace(/\D/g, '');
  const plus = text.startsWith('+');
  const e164 = plus && digits.length >= 7 ? `+${digits}` : null;
  return {
    formatted: (plus ? '+' : '') + (digits.match(/.{1,3}/g)?.join(' ') ?? ''),
    e164,
    country: e164 ? 'United States' : null,
    problem: e164 ? null : 'Start with + and the country code.',
  };
}

/** The program, kept in memory. */
export class Program implements Host {
  kind: Host['kind'] = 'window';
  snapshot: Snapshot;
  readonly calls: [keyof Commands, unknown][] = [];
  /** Answers that differ from the usual. */
  readonly answers: Partial<Record<keyof Commands, (args: never) => unknown>> = {};
  #handler: (event: HostEvent) => void = () => undefined;
  #missed: () => void = () => undefined;

  constructor(over: Partial<Snapshot> = {}) {
    this.snapshot = { ...SNAPSHOT, ...over };
  }

  call = ((name: keyof Commands, args: { text?: string }) => {
    this.calls.push([name, args]);
    const own = this.answers[name];
    if (own) return Promise.resolve().then(() => own(args as never));
    if (name === 'snapshot') return Promise.resolve(this.snapshot);
    if (name === 'inspect_number') return Promise.resolve(inspect(args.text ?? ''));
    return Promise.resolve(null);
  }) as Host['call'];

  listen: Host['listen'] = (handler, missed) => {
    this.#handler = handler;
    this.#missed = missed;
    return Promise.resolve(() => undefined);
  };

  /** The program tells something. */
  event(event: HostEvent): void {
    this.#handler(event);
  }

  /** The page may have missed something. */
  gap(): void {
    this.#missed();
  }

  named(name: keyof Commands): unknown[] {
    return this.calls.filter(([called]) => called === name).map(([, args]) => args);
  }
}

export function refusal(message: string): never {
  throw new HostError({ code: 'Internal', message, detail: null });
}
