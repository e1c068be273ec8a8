import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Commands, UserError, VoiceEvent } from '../../src/host/bindings';
import { HostError, type Host } from '../../src/host/host';
import { VoiceEngine } from '../../src/voice/native/engine';
import { hasWebRtc } from '../../src/voice/native/install';
import {
  NativePeerConnection,
  nativeReceiver,
  NativeSessionDescription,
} from '../../src/voice/native/peer_connection';
import { standInStream } from '../../src/voice/native/streams';

const OFFER = 'v=0\r\na=the offer\r\n';
const CANDIDATE = 'candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host';

/** jsdom has no sound; the browser tests run the real thing. */
class SilentAudioContext {
  createMediaStreamDestination() {
    const track = { enabled: true, readyState: 'live', stop: () => undefined };
    return { stream: { getAudioTracks: () => [track] }, disconnect: () => undefined };
  }
}

/** The program's voice commands, answered by `answers`. */
class Program {
  readonly calls: [string, unknown][] = [];
  readonly answers: Record<string, (args: never) => unknown> = {
    voice_create: () => 7,
    voice_create_offer: () => OFFER,
    voice_create_answer: () => 'v=0\r\na=the answer\r\n',
    voice_can_send_dtmf: () => true,
    voice_stats: () => [
      { type: 'transport', id: 't', timestamp: 1, selectedCandidatePairId: null },
    ],
  };

  call = ((name: keyof Commands, args: never) => {
    this.calls.push([name, args]);
    try {
      return Promise.resolve(this.answers[name]?.(args) ?? null);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }) as unknown as Host['call'];

  named(name: keyof Commands): unknown[] {
    return this.calls.filter(([called]) => called === name).map(([, args]) => args);
  }
}

const refusal: UserError = { code: 'MediaFailed', message: 'No sound today.', detail: null };
const refuse = () => {
  throw new HostError(refusal);
};

let program: Program;
let engine: VoiceEngine;
let heard: string[];

beforeEach(() => {
  vi.stubGlobal('AudioContext', SilentAudioContext);
  program = new Program();
  engine = new VoiceEngine(program);
  heard = [];
});

/** A connection that writes down its events with the state they tell of. */
function connection(): NativePeerConnection {
  const pc = new NativePeerConnection(engine);
  pc.onsignalingstatechange = () => heard.push(`signaling ${pc.signalingState}`);
  pc.onicegatheringstatechange = () => heard.push(`gathering ${pc.iceGatheringState}`);
  pc.oniceconnectionstatechange = () => heard.push(`ice ${pc.iceConnectionState}`);
  pc.onconnectionstatechange = () => heard.push(`connection ${pc.connectionState}`);
  pc.onicecandidate = ({ candidate }) => heard.push(candidate ? 'candidate' : 'no more candidates');
  pc.ontrack = ({ streams }) => heard.push(`track in ${streams.length} stream`);
  return pc;
}

const settled = () => new Promise<void>((resume) => setTimeout(resume));
const event = (over: object): Extract<VoiceEvent, { peer: number }> =>
  ({ peer: 7, ...over }) as Extract<VoiceEvent, { peer: number }>;

const gathered = () => {
  engine.deliver(event({ type: 'ice_candidate', candidate: CANDIDATE }));
  engine.deliver(event({ type: 'gathering_complete' }));
};

describe('an outgoing call', () => {
  it('emits what the SDK waits for, in its order', async () => {
    const pc = connection();
    // Before the answer to `voice_create`, as it may happen.
    gathered();
    const offer = await pc.createOffer({});
    await pc.setLocalDescription(offer);
    await settled();
    await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
    engine.deliver(event({ type: 'ice_connection_state', state: 'connected' }));
    engine.deliver(event({ type: 'connection_state', state: 'connected' }));
    engine.deliver(event({ type: 'connection_state', state: 'connected' }));
    expect(heard).toEqual([
      'signaling have-local-offer',
      'gathering gathering',
      'candidate',
      'no more candidates',
      'gathering complete',
      'signaling stable',
      'track in 1 stream',
      'ice connected',
      'connection connected',
    ]);
  });

  it('has its signalling state by the time the promises resolve', async () => {
    const pc = connection();
    await pc.setLocalDescription(await pc.createOffer({}));
    expect(pc.signalingState).toBe('have-local-offer');
    await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
    expect(pc.signalingState).toBe('stable');
    expect(pc.canInsertDtmf).toBe(true);
  });

  it('keeps a munged description verbatim and hands it to the engine', async () => {
    const pc = connection();
    const munged = 'v=0\r\na=fmtp:111 useinbandfec=1\r;maxaveragebitrate=16000\n';
    await pc.setLocalDescription(new NativeSessionDescription({ type: 'offer', sdp: munged }));
    expect(pc.localDescription?.sdp).toBe(munged);
    expect(program.named('voice_set_local')).toEqual([{ peer: 7, sdp_type: 'offer', sdp: munged }]);
  });

  it('asks for codecs in the order the SDK set', async () => {
    const pc = connection();
    const { codecs } = nativeReceiver.getCapabilities('audio') ?? { codecs: [] };
    pc.getTransceivers()[0]?.setCodecPreferences(codecs.reverse());
    await pc.createOffer({ iceRestart: true });
    expect(program.named('voice_create_offer')).toEqual([
      { peer: 7, codecs: ['pcmu', 'opus'], ice_restart: true },
    ]);
    expect(nativeReceiver.getCapabilities('audio')?.codecs[0]?.mimeType).toBe('audio/opus');
    expect(nativeReceiver.getCapabilities('video')).toBeNull();
  });

  it('tells of its candidates anew after an ICE restart, and of the track only once', async () => {
    const pc = connection();
    gathered();
    await pc.setLocalDescription(await pc.createOffer({}));
    await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
    await settled();
    heard = [];
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
    await settled();
    expect(heard).toEqual([
      'signaling have-local-offer',
      'gathering gathering',
      'candidate',
      'no more candidates',
      'gathering complete',
      'signaling stable',
    ]);
  });

  it('tells of candidates found late', async () => {
    const pc = connection();
    await pc.setLocalDescription(await pc.createOffer({}));
    await settled();
    expect(heard.at(-1)).toBe('gathering gathering');
    gathered();
    expect(heard.slice(-3)).toEqual(['candidate', 'no more candidates', 'gathering complete']);
  });
});

describe('an incoming call', () => {
  it('emits the track, then is stable with the answer', async () => {
    const pc = connection();
    await pc.setRemoteDescription({ type: 'offer', sdp: 'v=0\r\n' });
    await pc.setLocalDescription(await pc.createAnswer({}));
    expect(heard.slice(0, 3)).toEqual([
      'signaling have-remote-offer',
      'track in 1 stream',
      'signaling stable',
    ]);
  });
});

describe('the legacy callbacks', () => {
  it('carry success', async () => {
    const pc = connection();
    const offer = await new Promise((done, fail) => void pc.createOffer(done, fail, {}));
    expect(offer).toEqual({ type: 'offer', sdp: OFFER });
    const answer = await new Promise((done, fail) => void pc.createAnswer(done, fail, {}));
    expect(answer).toMatchObject({ type: 'answer' });
    await new Promise((done, fail) => {
      void pc.setLocalDescription({ type: 'offer', sdp: OFFER }, done, fail);
    });
    expect(pc.signalingState).toBe('have-local-offer');
  });

  it.each(['voice_create_offer', 'voice_set_local', 'voice_set_remote', 'voice_create'] as const)(
    'carry the failure of %s, as the SDK asks a second time',
    async (command) => {
      program.answers[command] = refuse;
      const pc = connection();
      const description = { type: 'offer', sdp: OFFER } as const;
      const attempt = {
        voice_create: (done: () => void, fail: (e: unknown) => void) =>
          pc.createOffer(done, fail, {}),
        voice_create_offer: (done: () => void, fail: (e: unknown) => void) =>
          pc.createOffer(done, fail, {}),
        voice_set_local: (done: () => void, fail: (e: unknown) => void) =>
          pc.setLocalDescription(description, done, fail),
        voice_set_remote: (done: () => void, fail: (e: unknown) => void) =>
          pc.setRemoteDescription(description, done, fail),
      }[command];
      const outcome = await new Promise((resolve) => {
        void attempt(() => {
          resolve('success');
        }, resolve);
      });
      expect(outcome).toBeInstanceOf(HostError);
      expect(pc.signalingState).toBe('stable');
      expect(engine.lastFailure).toEqual(refusal);
    },
  );
});

describe('the reason of a failure', () => {
  it('is the first that kept a call from being set up, not what was refused later', async () => {
    program.answers.voice_stats = refuse;
    const pc = connection();
    await pc.getStats().catch(() => undefined);
    expect(engine.lastFailure).toBeNull();
    program.answers.voice_create_offer = refuse;
    await pc.createOffer().catch(() => undefined);
    program.answers.voice_set_local = () => {
      throw new HostError({ ...refusal, message: 'There is no offer.' });
    };
    await pc.setLocalDescription({ type: 'offer', sdp: OFFER }).catch(() => undefined);
    expect(engine.lastFailure).toEqual(refusal);
    connection();
    await settled();
    expect(engine.lastFailure).toBeNull();
  });
});

describe('closing', () => {
  it('is told to the engine and nothing is heard afterwards', async () => {
    const pc = connection();
    await pc.createOffer({});
    pc.close();
    pc.close();
    await settled();
    engine.deliver(event({ type: 'connection_state', state: 'failed' }));
    pc.setMuted(true);
    expect(heard).toEqual([]);
    expect(program.named('voice_close')).toEqual([{ peer: 7 }]);
    expect(program.named('voice_set_muted')).toEqual([]);
    await expect(pc.createOffer({})).rejects.toThrow(/closed/);
  });

  it('before the engine has made the connection still closes it', async () => {
    const pc = connection();
    pc.close();
    await settled();
    expect(program.named('voice_close')).toEqual([{ peer: 7 }]);
  });

  it('leaves the last statistics, as the recommendation has it', async () => {
    const pc = connection();
    const stats = await pc.getStats();
    expect(stats.get('t')).toMatchObject({ type: 'transport' });
    pc.close();
    expect(await pc.getStats()).toEqual(stats);
    expect(program.named('voice_stats')).toHaveLength(1);
  });
});

describe('the sender', () => {
  it('mutes by the track, also one that was muted before', async () => {
    const pc = connection();
    const stream = standInStream('input');
    const [track] = stream.getAudioTracks();
    if (!track) throw new Error('no track');
    track.enabled = false;
    const sender = pc.addTrack(track, stream);
    expect(pc.getSenders()).toEqual([sender]);
    track.enabled = true;
    await settled();
    expect(program.named('voice_set_muted')).toEqual([
      { peer: 7, muted: true },
      { peer: 7, muted: false },
    ]);
    track.stop();
    expect(track.readyState).toBe('ended');
  });

  it('tells one thing after the other', async () => {
    const pc = connection();
    let done = (): void => undefined;
    program.answers.voice_set_muted = () => new Promise<void>((resolve) => (done = resolve));
    pc.setMuted(true);
    pc.insertDtmf('1', 100, 70);
    await settled();
    expect(program.named('voice_set_muted')).toHaveLength(1);
    expect(program.named('voice_insert_dtmf')).toEqual([]);
    done();
    await settled();
    expect(program.named('voice_insert_dtmf')).toHaveLength(1);
  });

  it('follows the track that replaces another', async () => {
    const pc = connection();
    const tracks = [standInStream('input'), standInStream('input')].map((stream) => {
      const [track] = stream.getAudioTracks();
      if (!track) throw new Error('no track');
      return { stream, track };
    });
    const [first, second] = tracks;
    if (!first || !second) throw new Error('no tracks');
    const sender = pc.addTrack(first.track, first.stream);
    await sender.replaceTrack(second.track);
    first.track.enabled = false;
    second.track.enabled = false;
    await settled();
    expect(sender.track).toBe(second.track);
    expect(program.named('voice_set_muted')).toEqual([{ peer: 7, muted: true }]);
  });

  it('plays tones once the far end agreed to them', async () => {
    const pc = connection();
    const stream = standInStream('input');
    const [track] = stream.getAudioTracks();
    if (!track) throw new Error('no track');
    const { dtmf } = pc.addTrack(track, stream);
    expect(dtmf.canInsertDTMF).toBe(false);
    await pc.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' });
    expect(dtmf.canInsertDTMF).toBe(true);
    dtmf.insertDTMF('15', 160, 70);
    await settled();
    expect(program.named('voice_insert_dtmf')).toEqual([
      { peer: 7, tones: '15', duration_ms: 160, gap_ms: 70 },
    ]);
  });
});

describe('events', () => {
  it('of a peer that is gone are dropped', async () => {
    const handler = vi.fn();
    const peer = await engine.create({ ice_servers: [] }, handler);
    engine.release(peer);
    gathered();
    await engine.create({ ice_servers: [] }, handler);
    expect(handler).not.toHaveBeenCalled();
  });
});

it('WebRTC is looked for in the page, not in its name', () => {
  expect(hasWebRtc({})).toBe(false);
  expect(hasWebRtc({ RTCPeerConnection: undefined })).toBe(false);
  expect(hasWebRtc({ RTCPeerConnection: () => undefined })).toBe(true);
});
