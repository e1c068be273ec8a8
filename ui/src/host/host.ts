import type { Commands, HostEvent, UserError } from './bindings';

/** What one command takes. */
export type Arguments<Name extends keyof Commands> = Parameters<Commands[Name]>[0];

/** What one command answers. */
export type Answer<Name extends keyof Commands> = Awaited<ReturnType<Commands[Name]>>;

/** Ends a subscription. */
export type Stop = () => void;

/**
 * The program behind the page: the Tauri window's own process, or the same program over loopback
 * HTTP when the page is open in a browser.
 */
export interface Host {
  /** Where the page runs; some courtesies make sense in a browser only. */
  readonly kind: 'window' | 'browser';

  /** Starts the program, or at least the page, anew. */
  restart(): void;

  /** Loads the page anew; the program goes on. */
  reload(): void;

  /** Runs a command. Rejects with a {@link HostError}. */
  call<Name extends keyof Commands>(name: Name, args: Arguments<Name>): Promise<Answer<Name>>;

  /**
   * Hands every event to `handler` from the moment the promise resolves.
   *
   * `missed` is called after a gap in which events may have been lost: whoever keeps a copy of the
   * program's state must fetch it anew.
   *
   * `lost` is called, once each time, when the program cannot be reached any more, with what the
   * agent should read. When it is back `missed` is called. A window never loses its own process.
   */
  listen(
    handler: (event: HostEvent) => void,
    missed: () => void,
    lost: (error: HostError) => void,
  ): Promise<Stop>;
}

/** A command failed. `user` is what the agent should read. */
export class HostError extends Error {
  override readonly name = 'HostError';

  constructor(
    readonly user: UserError,
    options?: ErrorOptions,
  ) {
    super(user.message, options);
  }
}

/** Whether `value` has the shape in which the program reports its errors. */
export function isUserError(value: unknown): value is UserError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

/** Turns whatever a transport threw into a {@link HostError}; `otherwise` is read when it says nothing. */
export function toHostError(cause: unknown, otherwise: string): HostError {
  if (cause instanceof HostError) return cause;
  if (isUserError(cause)) return new HostError(cause);
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HostError({ code: 'Internal', message: otherwise, detail }, { cause });
}
