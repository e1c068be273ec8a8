import { meterSources } from './meters';

/**
 * Real `MediaStream`s that stand for sound the page never touches: the microphone and the far end
 * are opened and played by the native engine. They must be real because the SDK hands them to
 * `<audio>` elements and audio graphs, which refuse anything else. Both are silent.
 */
const tracks = new WeakMap<MediaStreamTrack, StandInTrack>();
let context: AudioContext | null = null;

/** What the SDK does to the microphone's track, for the peer connection to carry out. */
export class StandInTrack {
  #enabled = true;
  #ended = false;
  #onEnabled: ((enabled: boolean) => void) | null = null;
  /** Keeps the source of the track alive as long as the track. */
  readonly #source: MediaStreamAudioDestinationNode;

  constructor(track: MediaStreamTrack, source: MediaStreamAudioDestinationNode) {
    this.#source = source;
    const nativeStop = track.stop.bind(track);
    Object.defineProperties(track, {
      enabled: {
        configurable: true,
        get: () => this.#enabled,
        set: (enabled: boolean) => {
          this.#enabled = enabled;
          this.#onEnabled?.(enabled);
        },
      },
      readyState: {
        configurable: true,
        get: () => (this.#ended ? 'ended' : 'live'),
      },
      stop: {
        configurable: true,
        value: () => {
          this.#ended = true;
          nativeStop();
          this.#source.disconnect();
        },
      },
    });
    tracks.set(track, this);
  }

  /** Hears `track.enabled = …` from now on; one listener, the peer that sends the track. */
  bind(listener: ((enabled: boolean) => void) | null): void {
    this.#onEnabled = listener;
  }

  get enabled(): boolean {
    return this.#enabled;
  }
}

/** The stand-in behind a track, when it is one of ours. */
export function standInOf(track: MediaStreamTrack): StandInTrack | undefined {
  return tracks.get(track);
}

/** A new stand-in stream; `side` tells which of a peer's level meters belongs to it. */
export function standInStream(side: 'input' | 'output'): MediaStream {
  context ??= new AudioContext();
  const destination = context.createMediaStreamDestination();
  const { stream } = destination;
  for (const track of stream.getAudioTracks()) new StandInTrack(track, destination);
  meterSources.adopt(stream, side);
  return stream;
}
