import { t } from '../i18n';
import type { HostEvent } from './bindings';
import { HostError, isUserError, toHostError, type Answer, type Host } from './host';

/** Key of the session storage under which the secret outlives a reload of the page. */
const SECRET = 'kennex-dialer.secret';

/** Pauses between attempts to reopen the event stream, in milliseconds; the last one repeats. */
const RETRY_AFTER_MS = [250, 1_000, 2_000, 5_000];

/** What this host needs of the browser; tests pass their own. */
export interface Browser {
  fetch: typeof fetch;
  setTimeout: (run: () => void, ms: number) => unknown;
}

/**
 * Takes the secret out of `#secret=…`, so that it stays neither in the address bar nor in the
 * history, and keeps it for reloads of this tab.
 */
export function takeSecret(location: Location, history: History, storage: Storage): string {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const fresh = fragment.get('secret');
  if (fresh !== null) {
    storage.setItem(SECRET, fresh);
    fragment.delete('secret');
    const rest = fragment.toString();
    history.replaceState(
      history.state,
      '',
      location.pathname + location.search + (rest ? `#${rest}` : ''),
    );
    return fresh;
  }
  return storage.getItem(SECRET) ?? '';
}

/** The program does not take this page's secret, and never will. */
class Unauthorized extends HostError {
  constructor(detail: string) {
    super({ code: 'Internal', message: t('host.unauthorized'), detail });
  }
}

/** The same program over loopback HTTP: `POST /host/<command>` and a stream of events. */
export class HttpHost implements Host {
  readonly kind = 'browser';

  restart(): void {
    this.reload();
  }

  /** The secret is kept for the tab, see {@link takeSecret}. */
  reload(): void {
    location.reload();
  }

  readonly #headers: Record<string, string>;
  readonly #browser: Browser;

  constructor(secret: string, browser: Browser) {
    this.#headers = { Authorization: `Bearer ${secret}` };
    this.#browser = browser;
  }

  call: Host['call'] = async (name, args) => {
    let response: Response;
    try {
      response = await this.#browser.fetch(`/host/${name}`, {
        method: 'POST',
        headers: { ...this.#headers, 'Content-Type': 'application/json' },
        body: JSON.stringify(args),
      });
    } catch (cause) {
      throw toHostError(cause, t('host.unreachable'));
    }
    const text = await response.text().catch(() => '');
    const body = parse(text);
    if (response.ok) return body as Answer<typeof name>;
    if (isUserError(body)) throw new HostError(body);
    throw refusal(response.status, name);
  };

  listen: Host['listen'] = async (handler, missed, lost) => {
    const stopped = new AbortController();
    const first = await this.#open(stopped.signal);
    void this.#follow(first, { handler, missed, lost }, stopped.signal);
    return () => {
      stopped.abort();
    };
  };

  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    let response: Response;
    try {
      response = await this.#browser.fetch('/host/events', { headers: this.#headers, signal });
    } catch (cause) {
      throw toHostError(cause, t('host.unreachable'));
    }
    if (!response.ok || !response.body) throw refusal(response.status, 'events');
    return response.body;
  }

  /** Reads the stream to its end and opens the next one, until stopped or refused. */
  async #follow(
    first: ReadableStream<Uint8Array>,
    { handler, missed, lost }: Listeners,
    stopped: AbortSignal,
  ): Promise<void> {
    const over = (): boolean => stopped.aborted;
    let body: ReadableStream<Uint8Array> | null = first;
    let failures = 0;
    while (!over()) {
      if (body) {
        // An error of the stream is its end, as far as this loop is concerned.
        await readLines(body, (line) => {
          handler(JSON.parse(line) as HostEvent);
        }).catch((error: unknown) => {
          if (!over()) console.warn('the stream of events broke off', error);
        });
      }
      if (over()) return;
      await new Promise<void>((resume) => {
        const pause = RETRY_AFTER_MS[Math.min(failures, RETRY_AFTER_MS.length - 1)];
        this.#browser.setTimeout(resume, pause ?? 0);
      });
      try {
        body = await this.#open(stopped);
      } catch (cause) {
        if (over()) return;
        body = null;
        const error = toHostError(cause, t('host.unreachable'));
        const refused = error instanceof Unauthorized;
        if (failures === 0 || refused) lost(error);
        if (refused) return;
        failures += 1;
        continue;
      }
      if (over()) return;
      failures = 0;
      missed();
    }
  }
}

/** Who hears what comes of the stream of events. */
interface Listeners {
  handler: (event: HostEvent) => void;
  missed: () => void;
  lost: (error: HostError) => void;
}

function refusal(status: number, asked: string): HostError {
  const detail = `HTTP ${status} for ${asked}`;
  if (status === 401) return new Unauthorized(detail);
  return new HostError({ code: 'Internal', message: t('host.failed'), detail });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Calls `each` with every non-empty line; an empty line only keeps the connection alive. */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  each: (line: string) => void,
): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() !== '') each(line);
      }
    }
  } finally {
    // Or the connection would stay open with nobody reading it. One that broke cannot be cancelled.
    await reader.cancel().catch(() => undefined);
  }
}
