import type {
  AccountStatus,
  CallLogEntry,
  Commands,
  ErrorCode,
  HostEvent,
  Rules,
  RulesView,
  Snapshot,
} from '../../src/host/bindings';
import { HostError, type Host } from '../../src/host/host';
import { RULES } from './rules';
import { ACCOUNT, inspect, SNAPSHOT } from './stand_in';

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
    recordings: [],
    waited_s: null,
    ...over,
  };
}

/** The program, kept in memory. */
export class Program implements Host {
  kind: Host['kind'] = 'window';
  restarts = 0;
  reloads = 0;

  restart(): void {
    this.restarts += 1;
  }

  reload(): void {
    this.reloads += 1;
  }

  snapshot: Snapshot;
  account: AccountStatus = structuredClone(ACCOUNT);
  rules: RulesView = structuredClone(RULES);
  readonly calls: [keyof Commands, unknown][] = [];
  /** Answers that differ from the usual. */
  readonly answers: Partial<Record<keyof Commands, (args: never) => unknown>> = {};
  #handler: (event: HostEvent) => void = () => undefined;
  #missed: () => void = () => undefined;
  #lost: (error: HostError) => void = () => undefined;

  constructor(over: Partial<Snapshot> = {}) {
    this.snapshot = { ...SNAPSHOT, ...over };
  }

  call = ((name: keyof Commands, args: { text?: string; to?: string; rules?: Rules }) => {
    this.calls.push([name, args]);
    const own = this.answers[name];
    if (own) return Promise.resolve().then(() => own(args as never));
    if (name === 'snapshot') return Promise.resolve(this.snapshot);
    if (name === 'account_status') return Promise.resolve(this.account);
    if (name === 'prepare_call') return Promise.resolve({ type: 'go', to: args.to });
    if (name === 'record_greeting') return Promise.resolve(this.named(name).length);
    if (name === 'rules') return Promise.resolve(this.rules);
    if (name === 'save_rules' && args.rules) this.rules = { ...this.rules, rules: args.rules };
    if (name === 'check_fallback') return Promise.resolve(this.rules.fallback);
    if (name === 'check_rules') return Promise.resolve([]);
    if (name === 'inspect_number') return Promise.resolve(inspect(args.text ?? ''));
    return Promise.resolve(null);
  }) as Host['call'];

  listen: Host['listen'] = (handler, missed, lost) => {
    this.#handler = handler;
    this.#missed = missed;
    this.#lost = lost;
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

  /** The program is out of reach. */
  lose(message: string): void {
    this.#lost(new HostError({ code: 'Internal', message, detail: null }));
  }

  named(name: keyof Commands): unknown[] {
    return this.calls.filter(([called]) => called === name).map(([, args]) => args);
  }
}

export function refusal(message: string, code: ErrorCode = 'Internal'): never {
  throw new HostError({ code, message, detail: null });
}
