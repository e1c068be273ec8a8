import type { Clock } from '../../src/phone/clock';

/** A clock that moves only when told to. */
export class HandClock implements Clock {
  #now = 1_700_000_000_000;
  #tasks: { at: number; task: () => void }[] = [];

  now = (): number => this.#now;

  after = (ms: number, task: () => void): (() => void) => {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  };

  /** Lets `ms` milliseconds pass, running what becomes due, in order. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#tasks = this.#tasks.filter((other) => other !== next);
      this.#now = next.at;
      next.task();
    }
    this.#now = until;
  }

  /** How many tasks wait. */
  get waiting(): number {
    return this.#tasks.length;
  }
}
