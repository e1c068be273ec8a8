import type { QueueView, WaitingView } from '../host/bindings';
import type { Clock } from '../phone/clock';

/** How often the time that callers have waited is looked at. */
const TICK_MS = 1_000;

/** The callers in the queue. */
export class Waiting {
  callers = $state.raw<readonly WaitingView[]>([]);
  /** Unix milliseconds, current while somebody waits. */
  now = $state(0);
  /** Somebody waited since the page was loaded. */
  told = $state(false);
  readonly #clock: Clock;
  #stopTicking: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear({ waiting }: QueueView): void {
    this.callers = waiting;
    this.told ||= waiting.length > 0;
    this.#tick();
  }

  /** Whole seconds that a caller has waited. */
  seconds({ since_ms }: WaitingView): number {
    return Math.max(0, Math.floor((this.now - since_ms) / 1000));
  }

  #tick(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
    this.now = this.#clock.now();
    if (this.callers.length > 0) {
      this.#stopTicking = this.#clock.after(TICK_MS, () => this.#tick());
    }
  }
}
