import type { ErrorCode, Notice } from '../host/bindings';

/** Standing messages: the program's, and those of this page, which the program knows nothing of. */
export class Notices {
  #program = $state.raw<readonly Notice[]>([]);
  #own = $state.raw<readonly Notice[]>([]);

  get all(): readonly Notice[] {
    return [...this.#program, ...this.#own];
  }

  /** The program's are these. */
  hear(notices: readonly Notice[]): void {
    this.#program = notices;
  }

  /** Adds one of this page, in place of the last with the same cause. */
  tell(cause: string, code: ErrorCode, message: string, dismissible: boolean): void {
    const id = own(cause);
    const notice: Notice = { id, error: { code, message, detail: null }, dismissible };
    this.#own = [...this.#own.filter((other) => other.id !== id), notice];
  }

  /** Takes one of this page away, by its cause or its id; whether there was one. */
  withdraw(name: string): boolean {
    const rest = this.#own.filter(({ id }) => id !== name && id !== own(name));
    const found = rest.length < this.#own.length;
    if (found) this.#own = rest;
    return found;
  }
}

/** The id of a notice of this page, which none of the program's can equal. */
function own(cause: string): string {
  return `page:${cause}`;
}
