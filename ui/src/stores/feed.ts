import type { HostEvent, Snapshot } from '../host/bindings';
import type { Host, HostError } from '../host/host';
import type { Clock } from '../phone/clock';
import { sentence } from './account.svelte';

/** When a snapshot that could not be had is asked for again. */
const AGAIN_MS = 3_000;

/** Who follows the program. */
export interface FeedParts {
  host: Pick<Host, 'call' | 'listen'>;
  clock: Clock;
  /** Names this load of the page. */
  page: string;
  /** How things stand, from the beginning or after a gap. */
  apply: (snapshot: Snapshot) => void;
  /** What changed since. */
  hear: (event: HostEvent) => void;
  /** The program is out of reach; the next snapshot shows that it is back. */
  lost: (error: HostError) => void;
  /** Tells the agent something in passing. */
  hint: (text: string) => void;
}

/** What the program tells: how things stand, then what changes, and after a gap how they stand again. */
export class Feed {
  readonly #parts: FeedParts;
  /** Events that came before the snapshot they build on. */
  #early: HostEvent[] | null = [];
  /** A snapshot is being fetched, and whether it may be out of date by the time it arrives. */
  #fetching = false;
  #fetchAgain = false;
  /** The last snapshot could not be had, and is asked for again. */
  #cancelRefresh: (() => void) | null = null;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Listens from now on; answers with the first snapshot, once it is applied. */
  async begin(): Promise<Snapshot> {
    const { host, lost } = this.#parts;
    this.#fetching = true;
    await host.listen(
      (event) => this.#hear(event),
      () => void this.#refresh(),
      lost,
    );
    const snapshot = await this.#fetch();
    this.#fetched();
    return snapshot;
  }

  async #fetch(): Promise<Snapshot> {
    const { host, page, apply } = this.#parts;
    const snapshot = await host.call('snapshot', { page });
    apply(snapshot);
    this.#hearEarly();
    return snapshot;
  }

  async #refresh(): Promise<void> {
    if (this.#fetching) {
      this.#fetchAgain = true;
      return;
    }
    this.#fetching = true;
    this.#early = [];
    try {
      await this.#fetch();
      this.#cancelRefresh?.();
      this.#cancelRefresh = null;
    } catch (error) {
      // What is heard is still news, if not all of it.
      this.#hearEarly();
      if (!this.#cancelRefresh) this.#parts.hint(sentence(error));
      this.#cancelRefresh?.();
      this.#cancelRefresh = this.#parts.clock.after(AGAIN_MS, () => void this.#refresh());
    }
    this.#fetched();
  }

  /** A snapshot has come, or not; the next one can be fetched. */
  #fetched(): void {
    this.#fetching = false;
    if (!this.#fetchAgain) return;
    this.#fetchAgain = false;
    void this.#refresh();
  }

  #hear(event: HostEvent): void {
    // The engine's events are no state that a snapshot could contain.
    if (this.#early && event.event !== 'voice') this.#early.push(event);
    else this.#parts.hear(event);
  }

  #hearEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    // All but the lines of a preview are the whole of what they speak of, so hearing an old one first does no
    // harm; the lines of a preview all come once more with its end.
    for (const event of early) this.#hear(event);
  }
}
