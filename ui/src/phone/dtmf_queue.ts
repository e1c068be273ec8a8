import type { Clock } from './clock';

/** One tone and the pause after it, as the Voice SDK plays them (160 ms and 70 ms). */
export const TONE_MS = 230;

/**
 * Hands keys to the call no faster than their tones can be played.
 *
 * A second `insertDTMF` replaces what is still unplayed of the first, so keys pressed quickly one
 * after the other would be lost without it.
 */
export class DtmfQueue {
  readonly #clock: Clock;
  readonly #send: (digits: string) => void;
  #waiting = '';
  #busy = false;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, send: (digits: string) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  push(digits: string): void {
    this.#waiting += digits;
    if (!this.#busy) this.#next();
  }

  /** Forgets what was not sent yet. */
  stop(): void {
    this.#waiting = '';
    this.#busy = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  #next(): void {
    const run = this.#waiting;
    this.#waiting = '';
    this.#busy = run !== '';
    if (!this.#busy) return;
    this.#send(run);
    this.#cancel = this.#clock.after(run.length * TONE_MS, () => {
      this.#next();
    });
  }
}
