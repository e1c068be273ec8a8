/** Peer connections that exist, so that none outlives its call. */
export class OpenPeers {
  readonly #open = new Set<{ close(): void }>();

  /** `Native` as a class that keeps account of what it constructs. */
  track(Native: typeof RTCPeerConnection): typeof RTCPeerConnection {
    const open = this.#open;
    return class CountedPeerConnection extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        open.add(this);
      }

      override close(): void {
        open.delete(this);
        super.close();
      }
    };
  }

  /**
   * Ends the sound of whatever is left. The SDK leaves a peer connection open, and the two parties
   * hearing each other, when it loses a call whose signalling cannot be resumed.
   */
  closeAll(): void {
    for (const peer of [...this.#open]) peer.close();
  }
}
