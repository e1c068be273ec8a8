/** Root mean square of the noise below, which is uniform between −1 and 1. */
const NOISE_RMS = 1 / Math.sqrt(3);

/** Long enough that its repetition is not seen in a 32-bin analyser. */
const NOISE_SECONDS = 1;

interface Meter {
  side: 'input' | 'output';
  nodes: Set<{ gain: GainNode; noise: AudioBufferSourceNode }>;
}

/**
 * Lets the SDK measure loudness of streams that are silent in the page.
 *
 * It attaches analysers to each stream with `createMediaStreamSource`. For a stand-in stream they
 * get noise instead, as loud as the native engine says the real sound is. It goes to analysers only
 * and is never heard. Without it the SDK would warn of a silent microphone in every call, and tell
 * Twilio's Insights so.
 */
class MeterSources {
  readonly #meters = new WeakMap<MediaStream, Meter>();

  adopt(stream: MediaStream, side: Meter['side']): void {
    this.#meters.set(stream, { side, nodes: new Set() });
  }

  /** The node that stands for `stream` in `context`, or nothing when the stream is not ours. */
  source(context: BaseAudioContext, stream: MediaStream): AudioNode | undefined {
    const meter = this.#meters.get(stream);
    if (!meter) return undefined;
    const noise = context.createBufferSource();
    noise.buffer = noiseBuffer(context);
    noise.loop = true;
    const gain = context.createGain();
    gain.gain.value = 0;
    noise.connect(gain);
    noise.start();
    meter.nodes.add({ gain, noise });
    return gain;
  }

  /** Sets the loudness of `stream`: root mean square, 0 to 1. */
  set(stream: MediaStream, level: number): void {
    for (const { gain } of this.#meters.get(stream)?.nodes ?? []) {
      gain.gain.value = Math.min(1, level / NOISE_RMS);
    }
  }

  /** Stops the noise of `stream`, whose call is over. */
  release(stream: MediaStream): void {
    const meter = this.#meters.get(stream);
    for (const { gain, noise } of meter?.nodes ?? []) {
      noise.stop();
      gain.disconnect();
    }
    meter?.nodes.clear();
  }
}

export const meterSources = new MeterSources();

const noiseBuffers = new WeakMap<BaseAudioContext, AudioBuffer>();

function noiseBuffer(context: BaseAudioContext): AudioBuffer {
  const known = noiseBuffers.get(context);
  if (known) return known;
  const length = Math.round(context.sampleRate * NOISE_SECONDS);
  const buffer = context.createBuffer(1, length, context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < length; i += 1) samples[i] = Math.random() * 2 - 1;
  noiseBuffers.set(context, buffer);
  return buffer;
}

/** Makes every audio context of the page measure stand-in streams by their meters. */
export function patchMeters(prototype: AudioContext): void {
  // Taken off its object on purpose: it is called on whichever context the SDK uses.
  // eslint-disable-next-line @typescript-eslint/unbound-method -- bound at each call below
  const native = prototype.createMediaStreamSource;
  Object.defineProperty(prototype, 'createMediaStreamSource', {
    configurable: true,
    writable: true,
    value(this: AudioContext, stream: MediaStream): AudioNode {
      return meterSources.source(this, stream) ?? native.call(this, stream);
    },
  });
}
