/** The two frequencies of each key, in Hz (ITU-T Q.23). */
const KEY_TONES: Readonly<Record<string, readonly [number, number]>> = {
  '1': [697, 1209],
  '2': [697, 1336],
  '3': [697, 1477],
  '4': [770, 1209],
  '5': [770, 1336],
  '6': [770, 1477],
  '7': [852, 1209],
  '8': [852, 1336],
  '9': [852, 1477],
  '*': [941, 1209],
  '0': [941, 1336],
  '#': [941, 1477],
};

const KEY_SECONDS = 0.09;
const KEY_VOLUME = 0.06;

/** One turn of a tone that repeats: its length and its loudness at each moment, −1 to 1. */
interface Cycle {
  seconds: number;
  at: (second: number) => number;
}

const wave = (hertz: number, second: number): number => Math.sin(2 * Math.PI * hertz * second);

/** A struck note that dies away. */
function note(hertz: number, start: number, second: number): number {
  const since = second - start;
  if (since < 0 || since > 0.5) return 0;
  const attack = Math.min(1, since / 0.01);
  return attack * Math.exp(-since * 6) * (wave(hertz, since) + 0.3 * wave(2 * hertz, since));
}

/** Two rising pairs and a pause: noticed across a room, and no alarm. */
const RING: Cycle = {
  seconds: 3,
  at: (second) =>
    0.22 *
    (note(659.3, 0, second) +
      note(830.6, 0.18, second) +
      note(659.3, 0.6, second) +
      note(987.8, 0.78, second)),
};

/** What the caller hears while the far end rings; North American cadence (ITU-T E.180). */
const RINGBACK: Cycle = {
  seconds: 6,
  at: (second) => {
    if (second > 2) return 0;
    const edge = Math.min(1, second / 0.02, (2 - second) / 0.02);
    return 0.04 * edge * (wave(440, second) + wave(480, second));
  },
};

/** A context that may not play, or whose device is gone, stays silent; its state tells. */
function resume(context: AudioContext): Promise<void> {
  return context.resume().catch(() => undefined);
}

/** The sounds the page makes itself. None is fetched; each stops the moment it is told to. */
export class Tones {
  #context: AudioContext | null = null;
  #playing: { cycle: Cycle; source: AudioBufferSourceNode } | null = null;
  readonly #buffers = new Map<Cycle, AudioBuffer>();

  /**
   * Whether the webview keeps the page silent until somebody clicks in it, as browsers do. Asking
   * makes the first attempt to play.
   */
  async blocked(): Promise<boolean> {
    const context = this.#open();
    if (!context) return false;
    if (context.state !== 'running') {
      // In a page that may not play yet this promise stays open until it may.
      await Promise.race([resume(context), new Promise((done) => setTimeout(done, 300))]);
    }
    return context.state !== 'running';
  }

  /** To be called on a click or key: that is when a browser lets a page be heard. */
  unlock(): void {
    if (this.#context?.state === 'suspended') void resume(this.#context);
  }

  /** Somebody calls. */
  ring(): void {
    this.#repeat(RING);
  }

  /** The far end rings and its network plays nothing. */
  ringback(): void {
    this.#repeat(RINGBACK);
  }

  /** Stops ringing, either way, at once. */
  stop(): void {
    this.#playing?.source.stop();
    this.#playing?.source.disconnect();
    this.#playing = null;
  }

  /** The tone of a key, as an answer to the finger. */
  key(key: string): void {
    const frequencies = KEY_TONES[key];
    const context = this.#open();
    if (!frequencies || context?.state !== 'running') return;
    const gain = context.createGain();
    const end = context.currentTime + KEY_SECONDS;
    gain.gain.setValueAtTime(KEY_VOLUME, context.currentTime);
    gain.gain.setValueAtTime(KEY_VOLUME, end - 0.01);
    gain.gain.linearRampToValueAtTime(0, end);
    gain.connect(context.destination);
    for (const hertz of frequencies) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = hertz;
      oscillator.connect(gain);
      oscillator.start();
      oscillator.stop(end);
    }
  }

  #repeat(cycle: Cycle): void {
    if (this.#playing?.cycle === cycle) return;
    this.stop();
    const context = this.#open();
    if (!context) return;
    const source = context.createBufferSource();
    source.buffer = this.#buffer(context, cycle);
    source.loop = true;
    source.connect(context.destination);
    source.start();
    this.#playing = { cycle, source };
    if (context.state !== 'running') void resume(context);
  }

  #buffer(context: AudioContext, cycle: Cycle): AudioBuffer {
    const known = this.#buffers.get(cycle);
    if (known) return known;
    const length = Math.round(cycle.seconds * context.sampleRate);
    const buffer = context.createBuffer(1, length, context.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < length; i += 1) samples[i] = cycle.at(i / context.sampleRate);
    this.#buffers.set(cycle, buffer);
    return buffer;
  }

  /** Made when first needed; a page without sound stays without. */
  #open(): AudioContext | null {
    if (!this.#context && typeof AudioContext === 'function') this.#context = new AudioContext();
    return this.#context;
  }
}
