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
  /** The field whose recorder is open: there is one microphone. */
  owner = $state<string | null>(null);
  /** The number of the recording under way, once the program told it. */
  #recording: number | null = null;
  /** What was heard before that. */
  #early: GreetingProgress[] = [];
  /** Counts what the recorder was opened, closed and pressed for: an answer to something earlier is late. */
  #turn = 0;
  /** The recording was asked for, and is on its way. */
  #finishing = false;
  readonly #host: Pick<Host, 'call'>;

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  /** Opens the recorder of one field, which closes that of another, and looks which microphones there are. */
  async open(owner: string): Promise<void> {
    this.#putAside();
    this.owner = owner;
    this.stage = 'ready';
    const turn = this.#turn;
    try {
      const microphones = await this.#host.call('microphones', {});
      if (this.owner !== owner) return;
      this.microphones = microphones;
      const known = microphones.some(({ id }) => id === this.microphone);
      // The first one follows the system's choice.
      if (!known) this.microphone = microphones[0]?.id ?? 'default';
    } catch (error) {
      if (turn === this.#turn) this.problem = sentence(error);
    }
  }

  /** Puts it aside, and what was recorded with it, unless another field has opened its own since. */
  close(owner: string): void {
    if (this.owner !== owner) return;
    this.#putAside();
    this.owner = null;
    this.stage = 'closed';
  }

  async record(): Promise<void> {
    this.#putAside();
    this.stage = 'recording';
    const turn = this.#turn;
    try {
      const recording = await this.#host.call('record_greeting', {
        microphone: this.microphone || 'default',
      });
      if (turn !== this.#turn) {
        this.#giveUp(recording);
        return;
      }
      this.#recording = recording;
      const early = this.#early;
      this.#early = [];
      for (const progress of early) this.hear(progress);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stage = 'ready';
      this.problem = sentence(error);
    }
  }

  hear(progress: GreetingProgress): void {
    if (this.stage !== 'recording' || this.#finishing) return;
    if (this.#recording === null) {
      this.#early.push(progress);
      return;
    }
    // The end of one that was given up is also told.
    if (progress.recording !== this.#recording) return;
    this.progress = progress;
    if (!progress.over) return;
    if (progress.error) this.problem = progress.error.message;
    // A microphone that never opened has nothing to give.
    if (progress.at_ms > 0) void this.finish();
    else {
      this.#recording = null;
      this.stage = 'ready';
    }
  }

  async finish(): Promise<void> {
    if (this.stage !== 'recording') return;
    const recording = this.#recording;
    if (recording === null) {
      if (this.#finishing) return;
      // Its number is not known yet; once it is, the microphone is let go of.
      this.#putAside();
      this.stage = 'ready';
      return;
    }
    // Asked for once.
    this.#recording = null;
    this.#finishing = true;
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const recorded = await this.#host.call('finish_greeting', { recording });
      if (turn !== this.#turn) return;
      this.#finishing = false;
      this.recorded = recorded;
      this.stage = 'recorded';
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#finishing = false;
      this.problem = sentence(error);
      this.stage = 'ready';
    }
  }

  /** Whatever is under way is of no use any more. */
  #putAside(): void {
    this.#turn += 1;
    if (this.#recording !== null) this.#giveUp(this.#recording);
    this.#recording = null;
    this.#finishing = false;
    this.#early = [];
    this.progress = null;
    this.recorded = null;
    this.problem = '';
  }

  #giveUp(recording: number): void {
    void this.#host.call('finish_greeting', { recording }).catch(() => undefined);
  }
}
