// A private PulseAudio with two null sinks: what is played into one is the microphone, and what the
// program plays arrives in the other, where it is recorded and measured.
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { run, start, until } from './processes.js';

export const SAMPLE_RATE = 48_000;

/** Starts the sound server; answers with the environment that programs need to use it. */
export async function startSound() {
  const folder = await mkdtemp(path.join(tmpdir(), 'dialer-sound-'));
  const runtime = path.join(folder, 'run');
  await mkdir(runtime, { mode: 0o700 });
  const socket = path.join(runtime, 'native');
  const env = {
    XDG_RUNTIME_DIR: runtime,
    PULSE_RUNTIME_PATH: runtime,
    PULSE_SERVER: `unix:${socket}`,
    HOME: folder,
  };
  const server = start(
    'pulseaudio',
    [
      '--daemonize=no',
      '-n',
      '--exit-idle-time=-1',
      '--disallow-exit',
      '--log-target=stderr',
      `--load=module-native-protocol-unix socket=${socket} auth-anonymous=1`,
      '--load=module-null-sink sink_name=mic_sink rate=48000 channels=1',
      '--load=module-remap-source master=mic_sink.monitor source_name=mic source_properties=device.description=TestMicrophone',
      '--load=module-null-sink sink_name=speaker rate=48000 channels=1',
    ],
    { env },
  );
  await until('the sound server', () => run('pactl', ['info'], { env }));
  await run('pactl', ['set-default-source', 'mic'], { env });
  await run('pactl', ['set-default-sink', 'speaker'], { env });
  return {
    env,
    /** Plays a steady tone into the microphone until `stop`. */
    speak(hz) {
      return start(
        'sh',
        [
          '-c',
          `sox -n -t raw -r ${SAMPLE_RATE} -e signed -b 16 -c 1 - synth 600 sine ${hz} gain -12 | pacat --playback --raw --rate=${SAMPLE_RATE} --channels=1 --format=s16le --latency-msec=50 --device=mic_sink`,
        ],
        { env },
      );
    },
    /** Records what the program plays for `seconds` and answers with its samples. */
    async listen(seconds) {
      const file = path.join(folder, `heard-${Date.now()}.raw`);
      await run(
        'sh',
        [
          '-c',
          `timeout ${seconds} parec --raw --rate=${SAMPLE_RATE} --channels=1 --format=s16le --latency-msec=20 --device=speaker.monitor > ${file}; test -s ${file}`,
        ],
        { env },
      );
      const { readFile } = await import('node:fs/promises');
      const bytes = await readFile(file);
      return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Strength of one frequency in a block, as amplitude of full scale (Goertzel). */
export function amplitudeAt(samples, hz) {
  const w = (2 * Math.PI * hz) / SAMPLE_RATE;
  const c = 2 * Math.cos(w);
  let s1 = 0;
  let s2 = 0;
  for (const sample of samples) {
    const s0 = sample / 32768 + c * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  return (2 * Math.sqrt(Math.max(0, s1 * s1 + s2 * s2 - c * s1 * s2))) / samples.length;
}

/** The median over blocks of 100 ms. */
function steadyAmplitude(samples, hz) {
  const block = SAMPLE_RATE / 10;
  const found = [];
  for (let at = 0; at + block <= samples.length; at += block) {
    found.push(amplitudeAt(samples.subarray(at, at + block), hz));
  }
  found.sort((a, b) => a - b);
  return found[found.length >> 1] ?? 0;
}

/**
 * Says whether `hz` is heard: its amplitude, the strongest other frequency on a 25 Hz grid, and the
 * number of 10 ms gaps in it, the longest, and the longest
 * stretch without one.
 */
export function measure(samples, hz) {
  // Block by block: over seconds a single skipped sample would turn the phase and cancel the tone.
  const amplitude = steadyAmplitude(samples, hz);
  let other = { hz: 0, amplitude: 0 };
  for (let f = 100; f <= 3400; f += 25) {
    if (Math.abs(f - hz) < 40) continue;
    const a = steadyAmplitude(samples, f);
    if (a > other.amplitude) other = { hz: f, amplitude: a };
  }
  let gaps = 0;
  let gap = 0;
  let longest = 0;
  let clean = 0;
  let longestClean = 0;
  const block = SAMPLE_RATE / 100;
  for (let at = 0; at + block <= samples.length; at += block) {
    gap = amplitudeAt(samples.subarray(at, at + block), hz) < amplitude / 4 ? gap + 1 : 0;
    if (gap > 0) gaps += 1;
    longest = Math.max(longest, gap);
    clean = gap === 0 ? clean + 1 : 0;
    longestClean = Math.max(longestClean, clean);
  }
  return {
    amplitude,
    other,
    gaps,
    longestGapMs: longest * 10,
    longestCleanMs: longestClean * 10,
    seconds: samples.length / SAMPLE_RATE,
  };
}
