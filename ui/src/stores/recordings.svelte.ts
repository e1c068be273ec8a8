import type { CallId, RecordingSid } from '../host/bindings';
import type { Host } from '../host/host';
import { sentence } from './account.svelte';
import { wavUrl } from './wav';

/** Recordings of logged calls: fetched when they are to be heard, one at a time. */
export class Recordings {
  /** What can be heard now. */
  heard = $state.raw<{ sid: RecordingSid; url: string } | null>(null);
  /** On their way, or being deleted. */
  busy = $state.raw<readonly RecordingSid[]>([]);
  /** Why one could not be had or deleted. */
  problem = $state.raw<{ sid: RecordingSid; message: string } | null>(null);
  readonly #host: Pick<Host, 'call'>;

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  async play(sid: RecordingSid): Promise<void> {
    this.close();
    await this.#do(sid, async () => {
      const { wav_base64 } = await this.#host.call('recording', { recording: sid });
      this.close();
      this.heard = { sid, url: wavUrl(wav_base64) };
    });
  }

  /** Once deleted it is gone at Twilio too. */
  async delete(call: CallId, sid: RecordingSid): Promise<void> {
    await this.#do(sid, async () => {
      await this.#host.call('delete_recording', { call, recording: sid });
      if (this.heard?.sid === sid) this.close();
    });
  }

  /** Stops what is heard and lets go of its sound. */
  close(): void {
    if (this.heard) URL.revokeObjectURL(this.heard.url);
    this.heard = null;
  }

  async #do(sid: RecordingSid, task: () => Promise<void>): Promise<void> {
    this.problem = null;
    this.busy = [...this.busy, sid];
    try {
      await task();
    } catch (error) {
      this.problem = { sid, message: sentence(error) };
    } finally {
      this.busy = this.busy.toSpliced(this.busy.indexOf(sid), 1);
    }
  }
}
