import type { Clock } from '../phone/clock';

/** How long a passing hint stays. */
const HINT_MS = 6_000;

/** How long a pad key shows that the keyboard pressed it. */
const FLASH_MS = 140;

/** What is shown for a moment. */
export class Hints {
  /** What the agent is told in passing. */
  text = $state('');
  /** The pad key that the keyboard pressed a moment ago. */
  flashed = $state('');
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(text: string): void {
    this.text = text;
    this.#cancel?.();
    this.#cancel = this.#clock.after(HINT_MS, () => (this.text = ''));
  }

  flash(key: string): void {
    this.flashed = key;
    this.#clock.after(FLASH_MS, () => {
      if (this.flashed === key) this.flashed = '';
    });
  }
}
