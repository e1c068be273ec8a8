import type { Snapshot } from '../host/bindings';
import type { Host } from '../host/host';
import type { Clock } from '../phone/clock';
import type { Tones } from '../voice/tones';
import type { Voice, VoiceListeners } from '../voice/voice';

/** What the page is made of; tests bring their own. */
export interface DialerParts {
  host: Host;
  openVoice: (host: Host, snapshot: Snapshot, listeners: VoiceListeners) => Promise<Voice>;
  tones: Pick<Tones, 'blocked' | 'unlock' | 'ring' | 'ringback' | 'stop' | 'key'>;
  clock: Clock;
  newId: () => string;
  /** The system's clipboard; absent where the page may not use it. */
  clipboard: Pick<Clipboard, 'writeText'> | undefined;
  /** Whether the computer has a network, as far as the page knows. */
  online: () => boolean;
  /** Outlives a load of the page. */
  memory: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}
