import type { Commands, PeerConfig, PeerId, UserError, VoiceEvent } from '../../host/bindings';
import { HostError, type Host } from '../../host/host';

/** An event that belongs to one peer connection. */
export type PeerEvent = Extract<VoiceEvent, { peer: PeerId }>;

/** Commands without which a call has no sound. */
const SETS_UP: ReadonlySet<string> = new Set<keyof Commands>([
  'voice_create',
  'voice_create_offer',
  'voice_create_answer',
  'voice_set_local',
  'voice_set_remote',
]);

/**
 * The native voice engine as the page sees it: its commands, and its events sorted by peer.
 *
 * An event may overtake the answer to the command that created its peer; such events wait here.
 */
export class VoiceEngine {
  readonly call: Host['call'];
  /**
   * Why the engine could not set up the newest peer: it knows better than the SDK's error, which only
   * follows. The first reason stays; what is refused afterwards is its consequence.
   */
  lastFailure: UserError | null = null;
  readonly #peers = new Map<PeerId, (event: PeerEvent) => void>();
  readonly #early = new Map<PeerId, PeerEvent[]>();
  #creating = 0;

  constructor(host: Pick<Host, 'call'>) {
    this.call = (name, args) =>
      host.call(name, args).catch((error: unknown) => {
        if (error instanceof HostError && SETS_UP.has(name)) this.lastFailure ??= error.user;
        throw error;
      });
  }

  /** Opens a peer connection; `handler` hears everything about it until {@link release}. */
  async create(config: PeerConfig, handler: (event: PeerEvent) => void): Promise<PeerId> {
    this.lastFailure = null;
    this.#creating += 1;
    try {
      const peer = await this.call('voice_create', { config });
      this.#peers.set(peer, handler);
      const early = this.#early.get(peer) ?? [];
      this.#early.delete(peer);
      for (const event of early) handler(event);
      return peer;
    } finally {
      this.#creating -= 1;
      if (this.#creating === 0) this.#early.clear();
    }
  }

  /** Forgets a peer: nothing more is heard of it. */
  release(peer: PeerId): void {
    this.#peers.delete(peer);
  }

  /** Hands an event of the engine to the peer it belongs to. */
  deliver(event: PeerEvent): void {
    const handler = this.#peers.get(event.peer);
    if (handler) {
      handler(event);
    } else if (this.#creating > 0) {
      const early = this.#early.get(event.peer) ?? [];
      early.push(event);
      this.#early.set(event.peer, early);
    }
  }
}
