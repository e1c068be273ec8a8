import type { PreviewLine, PreviewScript, Rules } from '../host/bindings';
import type { Host } from '../host/host';
import type { Clock } from '../phone/clock';
import { sentence } from './account.svelte';

/** How often the time that is played is looked at. */
const TICK_MS = 500;

/** A call that is played by the rules, watched as it happens. */
export class Trial {
  playing = $state(false);
  /** What happened so far, or in the last one; nothing before the first. */
  lines = $state.raw<readonly PreviewLine[] | null>(null);
  /** Why it could not be played. */
  failure = $state('');
  /** Why the last key was refused. */
  refused = $state('');
  /** Seconds it is played for. */
  since = $state(0);
  #stopTicking: (() => void) | null = null;
  readonly #host: Pick<Host, 'call'>;
  readonly #clock: Clock;

  constructor(host: Pick<Host, 'call'>, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** One more thing happened. */
  hear(line: PreviewLine): void {
    // Another page of the same program may be playing.
    if (this.playing) this.lines = [...(this.lines ?? []), line];
  }

  async play(rules: Rules, script: PreviewScript): Promise<void> {
    this.lines = [];
    this.failure = '';
    this.refused = '';
    this.playing = true;
    this.#tick(this.#clock.now());
    try {
      // All of it once more: an event may have been missed.
      this.lines = await this.#host.call('preview_incoming', { rules, script });
    } catch (error) {
      this.lines = null;
      this.failure = sentence(error);
    } finally {
      this.playing = false;
      this.refused = '';
      this.#stopTicking?.();
    }
  }

  async stop(): Promise<void> {
    await this.#host.call('stop_preview', {});
  }

  async press(key: string): Promise<void> {
    this.refused = '';
    try {
      await this.#host.call('press_preview_key', { key });
    } catch (error) {
      this.refused = sentence(error);
    }
  }

  #tick(began: number): void {
    this.since = Math.floor((this.#clock.now() - began) / 1_000);
    this.#stopTicking = this.#clock.after(TICK_MS, () => this.#tick(began));
  }
}
