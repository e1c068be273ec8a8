import { describe, expect, it, vi } from 'vitest';
import type { HostEvent } from '../../src/host/bindings';
import { HostError } from '../../src/host/host';
import { HttpHost, readLines, takeSecret } from '../../src/host/http';

const answer = (status: number, body: unknown) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });

/** A host on a scripted network; retries happen at once. */
function host(fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const asked = vi.fn(fetch);
  const http = new HttpHost('s3cret', {
    fetch: asked as unknown as typeof globalThis.fetch,
    setTimeout: (run) => {
      queueMicrotask(run);
    },
  });
  return { http, asked };
}

describe('a command', () => {
  it('is a POST with its arguments and the secret', async () => {
    const { http, asked } = host(() => Promise.resolve(answer(200, [])));
    await expect(http.call('voice_devices', {})).resolves.toEqual([]);
    expect(asked).toHaveBeenCalledWith('/host/voice_devices', {
      method: 'POST',
      headers: { Authorization: 'Bearer s3cret', 'Content-Type': 'application/json' },
      body: '{}',
    });
  });

  it('without an answer is done', async () => {
    const { http } = host(() => Promise.resolve(answer(200, null)));
    await expect(http.call('dismiss_notice', { id: 'x' })).resolves.toBeNull();
  });

  it('that is refused carries the sentence of the program', async () => {
    const user = { code: 'InvalidNumber', message: 'Too short.', detail: null };
    const { http } = host(() => Promise.resolve(answer(422, user)));
    await expect(http.call('voice_devices', {})).rejects.toMatchObject({ name: 'HostError', user });
  });

  it('without permission says how to get it', async () => {
    const { http } = host(() => Promise.resolve(answer(401, '')));
    await expect(http.call('snapshot', { page: 'a-page' })).rejects.toThrow(
      /Open it again from the link/,
    );
  });

  it('to a program that is gone says so', async () => {
    const { http } = host(() => Promise.reject(new TypeError('Failed to fetch')));
    const error = await http.call('snapshot', { page: 'a-page' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HostError);
    expect((error as HostError).user).toMatchObject({
      code: 'Internal',
      detail: 'Failed to fetch',
    });
    expect((error as HostError).message).toMatch(/does not answer/);
  });
});

/** A stream that the test writes to. */
function pipe() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(c) {
      controller = c;
    },
  });
  return {
    stream,
    write: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: () => controller?.error(new TypeError('network')),
  };
}

describe('lines', () => {
  it('are put together from whatever pieces arrive, characters of many bytes too', async () => {
    const { stream, end } = pipe();
    const bytes = new TextEncoder().encode('{"a":"ü"}\n\n{"b":2}\n{"c"');
    const reader = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    end();
    const lines: string[] = [];
    await readLines(reader, (line) => lines.push(line));
    await readLines(stream, (line) => lines.push(line));
    expect(lines).toEqual(['{"a":"ü"}', '{"b":2}']);
  });
});

describe('events', () => {
  const due = '{"event":"token_renewal_due"}\n';

  it.each(['end', 'fail'] as const)(
    'go on after an %s of the stream, and the gap is told',
    async (how) => {
      const first = pipe();
      const second = pipe();
      const answers = [
        () => Promise.resolve(new Response(first.stream)),
        () => Promise.reject(new TypeError('refused')),
        () => Promise.resolve(answer(503, '')),
        () => Promise.resolve(new Response(second.stream)),
      ];
      const { http, asked } = host(() => (answers.shift() ?? (() => new Promise(() => {})))());
      const events: HostEvent[] = [];
      const missed = vi.fn();
      const lost = vi.fn();
      const stop = await http.listen((event) => events.push(event), missed, lost);
      first.write(due);
      await vi.waitFor(() => {
        expect(events).toHaveLength(1);
      });
      expect(missed).not.toHaveBeenCalled();
      first[how]();
      await vi.waitFor(() => {
        expect(missed).toHaveBeenCalledOnce();
      });
      second.write(due);
      await vi.waitFor(() => {
        expect(events).toHaveLength(2);
      });
      expect(asked).toHaveBeenCalledTimes(4);
      expect(lost).toHaveBeenCalledOnce();
      expect((lost.mock.calls[0]?.[0] as HostError).message).toMatch(/does not answer/);
      stop();
    },
  );

  it('end for good when the page is refused, and it is told so', async () => {
    const first = pipe();
    const answers = [new Response(first.stream), answer(503, ''), answer(401, '')];
    const { http, asked } = host(() =>
      Promise.resolve(answers.shift() ?? new Response(pipe().stream)),
    );
    const missed = vi.fn();
    const lost = vi.fn();
    await http.listen(vi.fn(), missed, lost);
    first.end();
    await vi.waitFor(() => {
      expect(lost).toHaveBeenCalledTimes(2);
    });
    await new Promise((resume) => setTimeout(resume));
    expect((lost.mock.calls[1]?.[0] as HostError).message).toMatch(/may not use the phone/);
    expect(asked).toHaveBeenCalledTimes(3);
    expect(missed).not.toHaveBeenCalled();
  });

  it('come over a new stream when one cannot be taken in', async () => {
    const canceled = vi.fn();
    const first = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(due));
      },
      cancel: canceled,
    });
    const answers = [new Response(first), new Response(pipe().stream)];
    const { http } = host(() => Promise.resolve(answers.shift() ?? answer(503, '')));
    const missed = vi.fn();
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const stop = await http.listen(
      () => {
        throw new Error('no');
      },
      missed,
      vi.fn(),
    );
    await vi.waitFor(() => {
      expect(missed).toHaveBeenCalledOnce();
    });
    expect(canceled).toHaveBeenCalledOnce();
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
    stop();
  });

  it('stop when asked to', async () => {
    const { stream, write, end } = pipe();
    const { http, asked } = host(() => Promise.resolve(new Response(stream)));
    const events: HostEvent[] = [];
    const stop = await http.listen((event) => events.push(event), vi.fn(), vi.fn());
    write(due);
    await vi.waitFor(() => {
      expect(events).toHaveLength(1);
    });
    stop();
    end();
    await new Promise((resume) => setTimeout(resume));
    expect(asked).toHaveBeenCalledOnce();
  });

  it('that cannot be had at first fail the start', async () => {
    const { http } = host(() => Promise.resolve(answer(401, '')));
    await expect(http.listen(vi.fn(), vi.fn(), vi.fn())).rejects.toThrow(/may not use the phone/);
  });
});

describe('the secret', () => {
  it('is taken out of the address and kept for reloads', () => {
    const storage = window.sessionStorage;
    storage.clear();
    window.history.replaceState(null, '', '/?a=1#secret=abc%2Bd&x=y');
    expect(takeSecret(window.location, window.history, storage)).toBe('abc+d');
    expect(window.location.href).not.toMatch(/secret/);
    expect(window.location.search + window.location.hash).toBe('?a=1#x=y');
    expect(takeSecret(window.location, window.history, storage)).toBe('abc+d');
  });

  it('is empty without one', () => {
    window.sessionStorage.clear();
    window.history.replaceState(null, '', '/');
    expect(takeSecret(window.location, window.history, window.sessionStorage)).toBe('');
  });
});
