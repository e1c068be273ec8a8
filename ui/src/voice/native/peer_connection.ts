import type {
  CodecName,
  ConnectionState,
  IceServer,
  IceState,
  PeerId,
  SdpType,
  StatsEntry,
} from '../../host/bindings';
import type { PeerEvent, VoiceEngine } from './engine';
import { meterSources } from './meters';
import { NativeSender, type SenderPeer } from './sender';
import { standInStream } from './streams';

/** `RTCSessionDescription`: the SDK constructs these itself. */
export class NativeSessionDescription {
  readonly type: SdpType;
  readonly sdp: string;

  constructor({ type, sdp }: { type: SdpType; sdp: string }) {
    this.type = type;
    this.sdp = sdp;
  }

  toJSON(): { type: SdpType; sdp: string } {
    return { type: this.type, sdp: this.sdp };
  }
}

/** `RTCRtpReceiver`, of which the SDK asks one thing and makes no object. */
export const nativeReceiver = {
  /** Codecs in order of our preference. A fresh list each time: the SDK sorts it in place. */
  getCapabilities(kind: string): { codecs: RTCRtpCodec[]; headerExtensions: [] } | null {
    if (kind !== 'audio') return null;
    return {
      codecs: [
        {
          mimeType: 'audio/opus',
          clockRate: 48_000,
          channels: 2,
          sdpFmtpLine: 'minptime=10;useinbandfec=1',
        },
        { mimeType: 'audio/PCMU', clockRate: 8_000, channels: 1 },
        { mimeType: 'audio/telephone-event', clockRate: 8_000, channels: 1 },
      ],
      headerExtensions: [],
    };
  },
};

interface Description {
  type: SdpType;
  sdp: string;
}
type Success<T> = (value: T) => void;
type Failure = (error: unknown) => void;
type Handler<E> = ((event: E) => void) | null;

/** Options of `createOffer` that have a meaning for the engine. */
interface OfferOptions {
  iceRestart?: boolean;
}

/**
 * `RTCPeerConnection` whose media lives in the native voice engine, with every member the Voice SDK
 * 2.18.5 touches and the order of events it relies on.
 *
 * The four description methods also take the legacy callbacks: when their promise is rejected, the
 * SDK calls them a second time that way, and only a call of the failure callback makes it report
 * the error. Sessions of one microphone and one far end only.
 */
export class NativePeerConnection implements SenderPeer {
  onsignalingstatechange: Handler<Event> = null;
  oniceconnectionstatechange: Handler<Event> = null;
  onicegatheringstatechange: Handler<Event> = null;
  onconnectionstatechange: Handler<Event> = null;
  onicecandidate: Handler<{ candidate: CandidateView | null }> = null;
  ontrack: Handler<{ track: MediaStreamTrack | undefined; streams: MediaStream[] }> = null;

  signalingState: RTCSignalingState = 'stable';
  iceGatheringState: RTCIceGatheringState = 'new';
  iceConnectionState: IceState = 'new';
  connectionState: ConnectionState = 'new';
  localDescription: Description | null = null;
  remoteDescription: Description | null = null;

  readonly #engine: VoiceEngine;
  readonly #peer: Promise<PeerId>;
  /** The last command that nobody waits for. */
  #told: Promise<unknown> = Promise.resolve();
  #sender: NativeSender | null = null;
  #inputStream: MediaStream | null = null;
  #remoteStream: MediaStream | null = null;
  #codecs: CodecName[] = ['opus', 'pcmu'];
  #candidates: string[] = [];
  #gathered = false;
  #canInsertDtmf = false;
  #lastStats = new Map<string, StatsEntry>();
  #onLevels: ((input: number, output: number) => void) | null;

  constructor(
    engine: VoiceEngine,
    configuration?: RTCConfiguration,
    onLevels: ((input: number, output: number) => void) | null = null,
  ) {
    this.#engine = engine;
    this.#onLevels = onLevels;
    this.#peer = engine.create({ ice_servers: iceServers(configuration) }, (event) => {
      this.#hear(event);
    });
    // Whoever uses the peer first reports the failure; until then it is not an unhandled one.
    this.#peer.catch(() => undefined);
  }

  addTrack(track: MediaStreamTrack, stream: MediaStream): NativeSender {
    this.#inputStream = stream;
    this.#sender = new NativeSender(this, track);
    return this.#sender;
  }

  getSenders(): NativeSender[] {
    return this.#sender ? [this.#sender] : [];
  }

  getTransceivers(): { setCodecPreferences(codecs: { mimeType: string }[]): void }[] {
    return [
      {
        setCodecPreferences: (codecs) => {
          this.#codecs = codecs
            .map(({ mimeType }) => codecName(mimeType))
            .filter((c) => c !== null);
        },
      },
    ];
  }

  createOffer(options?: OfferOptions): Promise<Description>;
  createOffer(
    success: Success<Description>,
    failure: Failure,
    options?: OfferOptions,
  ): Promise<void>;
  createOffer(
    first?: OfferOptions | Success<Description> | null,
    failure?: Failure,
    last?: OfferOptions,
  ): Promise<Description | void> {
    const options = typeof first === 'function' ? last : first;
    const offer = async (): Promise<Description> => {
      const ice_restart = options?.iceRestart === true;
      const peer = await this.#open();
      const sdp = await this.#engine.call('voice_create_offer', {
        peer,
        codecs: this.#codecs,
        ice_restart,
      });
      return { type: 'offer', sdp };
    };
    return typeof first === 'function' ? legacy(offer, first, failure) : offer();
  }

  createAnswer(options?: object): Promise<Description>;
  createAnswer(success: Success<Description>, failure: Failure, options?: object): Promise<void>;
  createAnswer(
    first?: object | Success<Description> | null,
    failure?: Failure,
  ): Promise<Description | void> {
    const answer = async (): Promise<Description> => {
      const peer = await this.#open();
      const sdp = await this.#engine.call('voice_create_answer', { peer, codecs: this.#codecs });
      return { type: 'answer', sdp };
    };
    return isCallback(first) ? legacy(answer, first, failure) : answer();
  }

  setLocalDescription(
    description: Description,
    success?: Success<undefined>,
    failure?: Failure,
  ): Promise<void> {
    return legacyOr(() => this.#setLocal(description), success, failure);
  }

  setRemoteDescription(
    description: Description,
    success?: Success<undefined>,
    failure?: Failure,
  ): Promise<void> {
    return legacyOr(() => this.#setRemote(description), success, failure);
  }

  /** A map like `RTCStatsReport`. After `close` the last one, as the recommendation asks. */
  async getStats(): Promise<Map<string, StatsEntry>> {
    if (this.#closed) return this.#lastStats;
    const peer = await this.#open();
    const entries = await this.#engine.call('voice_stats', { peer });
    this.#lastStats = new Map(entries.map((entry) => [entry.id, entry]));
    return this.#lastStats;
  }

  close(): void {
    if (this.#closed) return;
    this.signalingState = 'closed';
    this.connectionState = 'closed';
    this.iceConnectionState = 'closed';
    this.#sender?.release();
    this.#onLevels = null;
    for (const stream of [this.#inputStream, this.#remoteStream]) {
      if (stream) meterSources.release(stream);
    }
    void this.#peer.then(
      async (peer) => {
        this.#engine.release(peer);
        await this.#engine.call('voice_close', { peer }).catch(() => undefined);
      },
      () => undefined,
    );
  }

  get canInsertDtmf(): boolean {
    return this.#canInsertDtmf;
  }

  setMuted(muted: boolean): void {
    this.#tell((peer) => this.#engine.call('voice_set_muted', { peer, muted }));
  }

  insertDtmf(tones: string, durationMs: number, gapMs: number): void {
    this.#tell((peer) =>
      this.#engine.call('voice_insert_dtmf', {
        peer,
        tones,
        duration_ms: durationMs,
        gap_ms: gapMs,
      }),
    );
  }

  get #closed(): boolean {
    return this.signalingState === 'closed';
  }

  async #open(): Promise<PeerId> {
    const peer = await this.#peer;
    if (this.#closed) throw new DOMException('The peer connection is closed.', 'InvalidStateError');
    return peer;
  }

  /** A command whose answer nobody waits for but the next such command. */
  #tell(command: (peer: PeerId) => Promise<unknown>): void {
    if (this.#closed) return;
    this.#told = this.#told
      .then(async () => {
        const peer = await this.#peer;
        if (!this.#closed) await command(peer);
      })
      .catch((error: unknown) => {
        console.warn('the voice engine refused a command', error);
      });
  }

  async #setLocal({ type, sdp }: Description): Promise<void> {
    const peer = await this.#open();
    await this.#engine.call('voice_set_local', { peer, sdp_type: type, sdp });
    if (type === 'answer') await this.#negotiated(peer);
    if (this.#closed) return;
    // Verbatim, munged or not: the SDK reads it back and sends it.
    this.localDescription = { type, sdp };
    this.#setSignalingState(type === 'offer' ? 'have-local-offer' : 'stable');
    queueMicrotask(() => {
      this.#gather();
    });
  }

  async #setRemote({ type, sdp }: Description): Promise<void> {
    const peer = await this.#open();
    await this.#engine.call('voice_set_remote', { peer, sdp_type: type, sdp });
    if (type === 'answer') await this.#negotiated(peer);
    if (this.#closed) return;
    this.remoteDescription = { type, sdp };
    this.#setSignalingState(type === 'offer' ? 'have-remote-offer' : 'stable');
    if (!this.#remoteStream) {
      this.#remoteStream = standInStream('output');
      const [track] = this.#remoteStream.getAudioTracks();
      this.ontrack?.({ track, streams: [this.#remoteStream] });
    }
  }

  /** What the far end agreed to is known now. */
  async #negotiated(peer: PeerId): Promise<void> {
    this.#canInsertDtmf = await this.#engine
      .call('voice_can_send_dtmf', { peer })
      .catch(() => false);
  }

  /**
   * Tells of the candidates. The engine finds them when it likes, mostly before the description is
   * set; the SDK expects `gathering`, at least one candidate, and `complete`, each time anew after
   * an ICE restart.
   */
  #gather(): void {
    if (this.#closed) return;
    this.#setGathering('gathering');
    for (const candidate of this.#candidates) this.#emitCandidate(candidate);
    if (this.#gathered) this.#completeGathering();
  }

  #completeGathering(): void {
    this.onicecandidate?.({ candidate: null });
    this.#setGathering('complete');
  }

  #hear(event: PeerEvent): void {
    if (this.#closed) return;
    switch (event.type) {
      case 'ice_candidate':
        if (this.#candidates.includes(event.candidate)) break;
        this.#candidates.push(event.candidate);
        if (this.iceGatheringState === 'gathering') this.#emitCandidate(event.candidate);
        break;
      case 'gathering_complete':
        this.#gathered = true;
        if (this.iceGatheringState === 'gathering') this.#completeGathering();
        break;
      case 'ice_connection_state':
        if (this.iceConnectionState === event.state) break;
        this.iceConnectionState = event.state;
        this.oniceconnectionstatechange?.(this.#event('iceconnectionstatechange'));
        break;
      case 'connection_state':
        if (this.connectionState === event.state) break;
        this.connectionState = event.state;
        this.onconnectionstatechange?.(this.#event('connectionstatechange'));
        break;
      case 'levels':
        if (this.#inputStream) meterSources.set(this.#inputStream, event.input);
        if (this.#remoteStream) meterSources.set(this.#remoteStream, event.output);
        this.#onLevels?.(event.input, event.output);
        break;
    }
  }

  #setSignalingState(state: RTCSignalingState): void {
    if (this.signalingState === state) return;
    this.signalingState = state;
    this.onsignalingstatechange?.(this.#event('signalingstatechange'));
  }

  #setGathering(state: RTCIceGatheringState): void {
    this.iceGatheringState = state;
    this.onicegatheringstatechange?.(this.#event('icegatheringstatechange'));
  }

  #emitCandidate(candidate: string): void {
    this.onicecandidate?.({ candidate: candidateView(candidate) });
  }

  /** An event whose target is this connection, which is no `EventTarget`. */
  #event(type: string): Event {
    const event = new Event(type);
    Object.defineProperty(event, 'target', { value: this });
    return event;
  }
}

/** What the SDK reads of an `RTCIceCandidate`, for Insights. */
interface CandidateView {
  candidate: string;
  sdpMid: string;
  type: string | null;
  protocol: string | null;
  address: string | null;
  port: number | null;
  priority: number | null;
}

/** Reads `candidate:<foundation> <component> <protocol> <priority> <address> <port> typ <type>` (RFC 8839 §5.1). */
function candidateView(candidate: string): CandidateView {
  const [, , protocol, priority, address, port, , type] = candidate.split(' ');
  return {
    candidate,
    sdpMid: '0',
    type: type ?? null,
    protocol: protocol ?? null,
    address: address ?? null,
    port: port === undefined ? null : Number(port),
    priority: priority === undefined ? null : Number(priority),
  };
}

function codecName(mimeType: string): CodecName | null {
  switch (mimeType.toLowerCase()) {
    case 'audio/opus':
      return 'opus';
    case 'audio/pcmu':
      return 'pcmu';
    default:
      return null;
  }
}

function iceServers(configuration: RTCConfiguration | undefined): IceServer[] {
  return (configuration?.iceServers ?? []).map(({ urls, username, credential }) => ({
    urls: typeof urls === 'string' ? [urls] : urls,
    username: username ?? null,
    credential: credential ?? null,
  }));
}

function isCallback<T>(value: object | Success<T> | null | undefined): value is Success<T> {
  return typeof value === 'function';
}

async function legacy<T>(
  operation: () => Promise<T>,
  success: Success<T>,
  failure: Failure | undefined,
): Promise<void> {
  let value: T;
  try {
    value = await operation();
  } catch (error) {
    failure?.(error);
    return;
  }
  success(value);
}

function legacyOr(
  operation: () => Promise<void>,
  success: Success<undefined> | undefined,
  failure: Failure | undefined,
): Promise<void> {
  if (!success) return operation();
  return legacy(
    operation,
    () => {
      success(undefined);
    },
    failure,
  );
}
