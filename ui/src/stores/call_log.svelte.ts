import type { CallId, CallLogEntry, CallLogPage, Cursor } from '../host/bindings';

/** Rows asked for at a time. */
export const PAGE_SIZE = 50;

/** The call log as far as it was fetched, newest first. */
export class CallLog {
  entries = $state.raw<readonly CallLogEntry[]>([]);
  loading = $state(false);
  #next = $state.raw<Cursor | null>(null);
  /** Counts first pages: an older page belongs to the first page it was asked for. */
  #generation = 0;
  readonly #list: (before: Cursor, limit: number) => Promise<CallLogPage>;

  constructor(list: (before: Cursor, limit: number) => Promise<CallLogPage>) {
    this.#list = list;
  }

  get hasOlder(): boolean {
    return this.#next !== null;
  }

  /** Starts anew with the first page. */
  reset(page: CallLogPage): void {
    this.#generation += 1;
    this.loading = false;
    this.entries = page.entries;
    this.#next = page.next;
  }

  async loadOlder(): Promise<void> {
    const before = this.#next;
    if (!before || this.loading) return;
    const generation = this.#generation;
    this.loading = true;
    try {
      const page = await this.#list(before, PAGE_SIZE);
      // Between the new first page and this one rows would be missing.
      if (generation !== this.#generation) return;
      const known = this.entries;
      const fresh = page.entries.filter(({ id }) => known.every((entry) => entry.id !== id));
      this.entries = [...known, ...fresh];
      this.#next = page.next;
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  /** A row is new or has changed. */
  upsert(entry: CallLogEntry): void {
    const others = this.entries.filter(({ id }) => id !== entry.id);
    const at = others.findIndex((other) => isNewer(entry, other));
    // Older than all that was fetched: it comes with its page.
    if (at < 0 && this.#next && others.length === this.entries.length) return;
    this.entries = at < 0 ? [...others, entry] : others.toSpliced(at, 0, entry);
  }

  remove(id: CallId): void {
    this.entries = this.entries.filter((entry) => entry.id !== id);
  }
}

/** The order of the log: by start, then by id, as its cursor has it. */
function isNewer(a: CallLogEntry, b: CallLogEntry): boolean {
  if (a.started_at_ms !== b.started_at_ms) return a.started_at_ms > b.started_at_ms;
  return a.id > b.id;
}
