import type { AudioDevice, GreetingProgress, RecordedGreeting } from '../host/bindings';
import type { Host } from '../host/host';
import { sentence } from './account.svelte';

/** How far a greeting is. */
type Stage = 'closed' | 'ready' | 'recording' | 'recorded';

/** A greeting that is spoken into the microphone of the program's computer. */
export class Greeting {
  stage = $state<Stage>('closed');
  microphones = $state.raw<readonly AudioDevice[]>([]);
  microphone = $state('');
  /** How far it is; nothing until the microphone is open. */
  progress = $state.raw<GreetingProgress | null>(null);
  recorded = $state.raw<RecordedGreeting | null>(null);
  problem = $state('');
  #finishing = false;
  readonly #host: Pick<Host, 'call'>;

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  /** Looks which microphones there are. */
  async open(): Promise<void> {
    this.stage = 'ready';
    this.problem = '';
    try {
      this.microphones = await this.#host.call('microphones', {});
      const known = this.microphones.some(({ id }) => id === this.microphone);
      // The first one follows the system's choice.
      if (!known) this.microphone = this.microphones[0]?.id ?? 'default';
    } catch (error) {
      this.problem = sentence(error);
    }
  }

  /** Puts it aside, and what was recorded with it. */
  close(): void {
    if (this.stage === 'recording')
      void this.#host.call('finish_greeting', {}).catch(() => undefined);
    this.stage = 'closed';
    this.recorded = null;
    this.problem = '';
  }

  async record(): Promise<void> {
    this.problem = '';
    this.recorded = null;
    this.progress = null;
    this.stage = 'recording';
    try {
      await this.#host.call('record_greeting', { microphone: this.microphone || 'default' });
    } catch (error) {
      this.stage = 'ready';
      this.problem = sentence(error);
    }
  }

  hear(progress: GreetingProgress): void {
    if (this.stage !== 'recording') return;
    this.progress = progress;
    if (!progress.over) return;
    if (progress.error) this.problem = progress.error.message;
    // A microphone that never opened has nothing to give.
    if (progress.at_ms > 0) void this.finish();
    else this.stage = 'ready';
  }

  async finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    try {
      this.recorded = await this.#host.call('finish_greeting', {});
      this.stage = 'recorded';
    } catch (error) {
      this.problem = sentence(error);
      this.stage = 'ready';
    } finally {
      this.#finishing = false;
    }
  }
}
