import { standInOf, type StandInTrack } from './streams';

/** What a sender needs of its peer connection. */
export interface SenderPeer {
  setMuted(muted: boolean): void;
  insertDtmf(tones: string, durationMs: number, gapMs: number): void;
  readonly canInsertDtmf: boolean;
}

/** `RTCDTMFSender` over the native engine; also the global of that name, which the SDK tests for. */
export class NativeDtmfSender {
  readonly #peer: SenderPeer;

  constructor(peer: SenderPeer) {
    this.#peer = peer;
  }

  /** Known from the negotiation; until then, and without it, the SDK sends digits by signalling. */
  get canInsertDTMF(): boolean {
    return this.#peer.canInsertDtmf;
  }

  /** Milliseconds; the defaults are those of the W3C WebRTC recommendation. */
  insertDTMF(tones: string, duration = 100, interToneGap = 70): void {
    this.#peer.insertDtmf(tones, duration, interToneGap);
  }
}

/** `RTCRtpSender` of the one microphone track. */
export class NativeSender {
  readonly dtmf: NativeDtmfSender;
  /** No `RTCDtlsTransport` to show; the SDK uses it for Insights only. */
  readonly transport = null;
  readonly #peer: SenderPeer;
  #track: MediaStreamTrack;
  #standIn: StandInTrack | undefined;

  constructor(peer: SenderPeer, track: MediaStreamTrack) {
    this.#peer = peer;
    this.dtmf = new NativeDtmfSender(peer);
    this.#track = track;
    this.#bind(track);
  }

  get track(): MediaStreamTrack {
    return this.#track;
  }

  replaceTrack(track: MediaStreamTrack): Promise<void> {
    this.release();
    this.#track = track;
    this.#bind(track);
    return Promise.resolve();
  }

  /** Stops following the track, whose call is over or which was replaced. */
  release(): void {
    this.#standIn?.bind(null);
    this.#standIn = undefined;
  }

  #bind(track: MediaStreamTrack): void {
    this.#standIn = standInOf(track);
    this.#standIn?.bind((enabled) => {
      this.#peer.setMuted(!enabled);
    });
    if (this.#standIn && !this.#standIn.enabled) this.#peer.setMuted(true);
  }
}
