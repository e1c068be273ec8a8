import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccessTokenView, DeviceReport } from '../../src/host/bindings';
import type { LineCall, LineEvent } from '../../src/phone/line';
import { TwilioLine, type LineParts } from '../../src/voice/twilio_line';
import { HandClock } from './clock';
import { Program } from './program';

/** The SDK's Device and its one call, as far as moments go that no signalling brings about. */
class PlayedDevice extends EventEmitter {
  static made: PlayedDevice[] = [];
  static fails: Error | null = null;
  state = 'unregistered';
  destroyed = false;
  readonly call = Object.assign(new EventEmitter(), {
    direction: 'OUTGOING',
    parameters: {},
    status: () => 'connecting',
    disconnect: vi.fn(),
  });
  readonly Peer: typeof RTCPeerConnection;

  constructor(_token: string, options: { RTCPeerConnection: typeof RTCPeerConnection }) {
    super();
    if (PlayedDevice.fails) throw PlayedDevice.fails;
    this.Peer = options.RTCPeerConnection;
    PlayedDevice.made.push(this);
  }

  register = () => Promise.resolve();
  connect = () => Promise.resolve(this.call);

  destroy(): void {
    this.destroyed = true;
  }

  registered(): void {
    this.state = 'registered';
    this.emit('registered');
  }

  unregistered(): void {
    this.state = 'unregistered';
    this.emit('unregistered');
  }
}

/** A peer connection that agrees to everything. */
class AgreeingPeer {
  setLocalDescription(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    // Nothing is open.
  }
}

const settled = () => new Promise<void>((resume) => setTimeout(resume));

let clock: HandClock;
let reports: DeviceReport[];
let line: TwilioLine;

const device = (): PlayedDevice => {
  const last = PlayedDevice.made.at(-1);
  if (!last) throw new Error('no Device was made');
  return last;
};

beforeEach(() => {
  vi.stubGlobal('RTCPeerConnection', AgreeingPeer);
  PlayedDevice.made = [];
  PlayedDevice.fails = null;
  clock = new HandClock();
  reports = [];
  const program = new Program();
  program.answers.issue_access_token = (): AccessTokenView => ({
    token: 'practice-token',
    identity: 'albert',
    expires_at_ms: clock.now() + 3_600_000,
  });
  line = new TwilioLine({
    sdk: { Device: PlayedDevice } as unknown as LineParts['sdk'],
    host: program,
    signalling: { type: 'practice', host: '127.0.0.1:1' },
    native: null,
    clock,
    onInvite: vi.fn(),
    onLevels: vi.fn(),
    reportDevice: (report) => reports.push(report),
  });
});

/** Starts the line. */
async function start(): Promise<void> {
  line.start();
  clock.pass(0);
  await settled();
}

/** Places a call and writes down how it goes. */
async function place(): Promise<{ call: LineCall; events: LineEvent[] }> {
  const events: LineEvent[] = [];
  const call = line.place({ To: '+12025550100' });
  call.listen((event) => events.push(event));
  await settled();
  return { call, events };
}

it('tries again with a pause when a Device cannot even be made', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  PlayedDevice.fails = new Error('no WebRTC today');
  await start();
  expect(reports.at(-1)).toEqual({
    state: 'unregistered',
    error: { code: 0, message: 'no WebRTC today' },
  });
  PlayedDevice.fails = null;
  clock.pass(500);
  await settled();
  device().registered();
  expect(reports.at(-1)).toEqual({ state: 'registered', error: null });
  expect(warned).toHaveBeenCalledOnce();
  warned.mockRestore();
});

it('signs in anew right after a call that outlived its registration', async () => {
  await start();
  device().registered();
  await place();
  device().call.emit('accept');
  const first = device();
  first.unregistered();
  clock.pass(60_000);
  expect(first.destroyed).toBe(false);
  first.call.emit('disconnect');
  await settled();
  expect(first.destroyed).toBe(true);
  clock.pass(0);
  await settled();
  expect(PlayedDevice.made).toHaveLength(2);
});

/** The codes of `token_refusal` in the engine: both sides must see a refused token in the same. */
it.each([
  20101, 20102, 20103, 20104, 20105, 20106, 20107, 20151, 20157, 31201, 31202, 31203, 31204, 31205,
  31207,
])('asks for another token after error %i', async (code) => {
  await start();
  const first = device();
  first.registered();
  first.emit('error', { code, message: 'refused' });
  expect(first.destroyed).toBe(true);
  clock.pass(500);
  await settled();
  expect(PlayedDevice.made).toHaveLength(2);
});

describe('a rejection that nobody noticed', () => {
  beforeEach(async () => {
    await start();
    device().registered();
  });

  it('ends a call that the SDK has not got through setting up', async () => {
    const { events } = await place();
    const peer = new (device().Peer)();
    line.rejectionUnhandled();
    expect(events).toEqual([{ type: 'failed', code: 53400, message: null }]);
    peer.close();
  });

  it('does nothing to a call whose sound is described', async () => {
    const { events } = await place();
    const peer = new (device().Peer)();
    await peer.setLocalDescription({ type: 'offer', sdp: 'v=0\r\n' });
    line.rejectionUnhandled();
    expect(events).toEqual([]);
    expect(device().call.disconnect).not.toHaveBeenCalled();
  });

  it('counts again in the next call', async () => {
    const first = await place();
    const peer = new (device().Peer)();
    await peer.setLocalDescription({ type: 'offer', sdp: 'v=0\r\n' });
    peer.close();
    first.call.hangUp();
    device().call.emit('disconnect');
    await settled();
    device().call.removeAllListeners();
    const { events } = await place();
    line.rejectionUnhandled();
    expect(events).toHaveLength(1);
  });
});
