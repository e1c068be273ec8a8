/** Peer connections that exist, so that none outlives its call. */
export class OpenPeers {
  readonly #open = new Set<{ close(): void }>();
  readonly #described = new WeakSet<object>();

  /** Whether one of them has its local description: the SDK has got through setting it up. */
  get described(): boolean {
    return [...this.#open].some((peer) => this.#described.has(peer));
  }

  /** `Native` as a class that keeps account of what it constructs. */
  track(Native: typeof RTCPeerConnection): typeof RTCPeerConnection {
    const open = this.#open;
    const described = this.#described;
    return class CountedPeerConnection extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        open.add(this);
      }

      override setLocalDescription(
        description?: RTCLocalSessionDescriptionInit,
        success?: VoidFunction,
        failure?: RTCPeerConnectionErrorCallback,
      ): Promise<void> {
        // The SDK's second attempt, in the old style, after the first has failed.
        if (description && success && failure) {
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- the SDK asks for it
          return super.setLocalDescription(description, success, failure);
        }
        const done = super.setLocalDescription(description);
        void done.then(
          () => described.add(this),
          () => undefined,
        );
        return done;
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
