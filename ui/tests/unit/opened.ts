import { render } from '@testing-library/svelte';
import { tick } from 'svelte';
import { vi } from 'vitest';
import type { AccountStatus, Snapshot } from '../../src/host/bindings';
import { Dialer } from '../../src/stores/dialer.svelte';
import App from '../../src/views/App.svelte';
import type { Voice, VoiceListeners } from '../../src/voice/voice';
import { HandClock } from './clock';
import { PlayedLine } from './line';
import { Program } from './program';
import { SNAPSHOT } from './stand_in';

/** The window on a program kept in memory, with the account page open. */
export class Opened {
  readonly program = new Program();
  readonly clock = new HandClock();
  readonly line = new PlayedLine();
  readonly copied: string[] = [];
  clipboard: { writeText(text: string): Promise<void> } | undefined = {
    writeText: (text) => {
      this.copied.push(text);
      return Promise.resolve();
    },
  };
  dialer!: Dialer;
  listeners!: VoiceListeners;

  async open(account: AccountStatus, over: Partial<Snapshot> = {}): Promise<void> {
    this.program.account = account;
    this.program.snapshot = { ...SNAPSHOT, ...over };
    const place = this.line.place.bind(this.line);
    this.dialer = new Dialer({
      host: this.program,
      openVoice: (_host, _snapshot, listeners) => {
        this.listeners = listeners;
        return Promise.resolve({
          line: { place, start: vi.fn(), renewToken: vi.fn() } as unknown as Voice['line'],
          deliver: vi.fn(),
        });
      },
      tones: {
        blocked: () => Promise.resolve(false),
        unlock: () => undefined,
        ring: () => undefined,
        ringback: () => undefined,
        stop: () => undefined,
        key: () => undefined,
      },
      clock: this.clock,
      newId: () => crypto.randomUUID(),
      clipboard: this.clipboard,
      online: () => true,
      memory: window.sessionStorage,
    });
    render(App, { dialer: this.dialer });
    await this.dialer.start();
    await tick();
  }

  async openAccount(account: AccountStatus, over: Partial<Snapshot> = {}): Promise<void> {
    await this.open(account, over);
    this.dialer.show('account');
    await this.settled();
  }

  /** The program says how the account stands now. */
  async tell(account: AccountStatus): Promise<void> {
    this.program.account = account;
    this.program.event({ event: 'account_changed', data: account });
    await this.settled();
  }

  /** Everything that was set off has been done. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resume) => setTimeout(resume));
    await tick();
  }
}
