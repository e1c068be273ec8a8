import type { Call, Device } from '@twilio/voice-sdk';
import type {
  AccessTokenView,
  DeviceReport,
  DeviceState,
  SdkError,
  SignallingView,
} from '../host/bindings';
import type { Host } from '../host/host';
import type { Clock } from '../phone/clock';
import type { Invite, Line, LineCall } from '../phone/line';
import type { NativeVoice } from './native/install';
import { OpenPeers } from './peers';
import { SdkCall, type CallContext } from './sdk_call';
import { NoSound } from './sounds';

/** A Device that has not registered after this long is replaced; `register()` itself never gives up. */
const REGISTER_TIMEOUT_MS = 20_000;

/** The SDK reconnects by itself, at most 25 s between attempts; after this long it is replaced too. */
const RECONNECT_TIMEOUT_MS = 60_000;

/** Pauses before a Device is replaced after failures in a row; the last one repeats. */
const REOPEN_AFTER_MS = [500, 2_000, 5_000, 15_000, 30_000];

/** A new token costs a second of sound in a call, so it waits for the end of the call until then. */
const RENEW_AT_LATEST_MS = 60_000;

/** Twilio keeps a call whose signalling is lost for as long (the SDK caps it at 30 s). */
const SIGNALLING_TIMEOUT_MS = 30_000;

/** Twilio's codes for a token that it does not take (any more). */
const TOKEN_REFUSED = new Set([
  20101, 20102, 20103, 20104, 20105, 20106, 20107, 20151, 20157, 31201, 31202, 31203, 31204, 31205,
  31207,
]);

/** Reported for a call that was to be placed while there was no connection. */
const NOT_CONNECTED = 31009;

/** Reported for a call on whose start the SDK stumbled without saying so. */
const NOT_STARTED = 53400;

/** Codes that the native engine can explain better than the SDK, which only follows it. */
const SOUND_FAILURES = new Set([31402, 53400, 53402, 53405]);

/** What the line works with. */
export interface LineParts {
  sdk: Pick<typeof import('@twilio/voice-sdk'), 'Device'>;
  host: Pick<Host, 'call' | 'kind'>;
  signalling: SignallingView;
  /** The native engine, when it stands behind the page's WebRTC names. */
  native: NativeVoice | null;
  clock: Clock;
  /** Somebody calls. */
  onInvite: (invite: Invite, call: LineCall) => void;
  /** The loudness of the call there is: microphone and far end, 0 to 1. */
  onLevels: (input: number, output: number) => void;
  /** Tells the program what the Device is doing. Never throws. */
  reportDevice: (report: DeviceReport) => void;
}

/** The Voice SDK's Device, kept registered, and its calls. */
export class TwilioLine implements Line {
  readonly #parts: LineParts;
  readonly #peers = new OpenPeers();
  #device: Device | null = null;
  #token: AccessTokenView | null = null;
  #current: SdkCall | null = null;
  #failures = 0;
  #wasRegistered = false;
  /** What has to wait for the end of the call there is. */
  #afterCall: 'renew' | 'reopen' | null = null;
  #cancelWatch: (() => void) | null = null;
  #cancelRenewal: (() => void) | null = null;
  /** Counts Devices, so that what an older one still causes is recognised. */
  #generation = 0;

  constructor(parts: LineParts) {
    this.#parts = parts;
    if (parts.native) parts.native.onLevels = parts.onLevels;
  }

  /** Registers, and stays registered from now on. */
  start(): void {
    this.#reopen(0);
  }

  place(params: Readonly<Record<string, string>>): LineCall {
    const call = new SdkCall(this.#context());
    void this.#connect(call, params);
    return call;
  }

  /** Gives the SDK a fresh token; while there is a call, as late as the old one allows. */
  async renewToken(): Promise<void> {
    const { clock } = this.#parts;
    const left = (this.#token?.expires_at_ms ?? 0) - clock.now() - RENEW_AT_LATEST_MS;
    if (this.#busy && left > 0) {
      this.#afterCall ??= 'renew';
      this.#cancelRenewal?.();
      this.#cancelRenewal = clock.after(left, () => void this.renewToken());
      return;
    }
    this.#cancelRenewal?.();
    const device = this.#device;
    if (!device) return;
    try {
      this.#token = await this.#parts.host.call('issue_access_token', {});
      if (this.#device === device) device.updateToken(this.#token.token);
    } catch (error) {
      this.#report(this.#deviceState(device), describe(error));
    }
  }

  /** The computer is online again: no need to wait for the SDK's next attempt. */
  networkReturned(): void {
    if (this.#busy || stateOf(this.#device) === 'registered') return;
    this.#reopen(0);
  }

  /**
   * A promise of the page was rejected and nobody noticed. Until a call that starts has its own
   * description of the sound, that is most likely the SDK, which would leave the call hanging; from
   * then on the SDK reports its failures.
   */
  rejectionUnhandled(): void {
    const call = this.#current;
    if (!call?.starting || this.#peers.described) return;
    call.fail(NOT_STARTED);
    call.hangUp();
    this.#peers.closeAll();
    this.#reopen(0);
  }

  get #busy(): boolean {
    return this.#current !== null && !this.#current.over;
  }

  async #connect(call: SdkCall, params: Readonly<Record<string, string>>): Promise<void> {
    const device = this.#device;
    // Without a connection the SDK would wait for one and dial when nobody is at the desk.
    if (!device || stateOf(device) !== 'registered') {
      call.fail(NOT_CONNECTED);
      return;
    }
    this.#current = call;
    try {
      const sdkCall = await device.connect({ params: { ...params } });
      call.attach(sdkCall);
    } catch (error) {
      console.warn('the SDK did not place the call', error);
      call.fail(describe(error).code);
    }
  }

  #callOver(): void {
    if (this.#busy) return;
    const task = this.#afterCall;
    this.#afterCall = null;
    if (task === 'reopen') this.#reopen(0);
    if (task === 'renew') void this.renewToken();
  }

  #context(): CallContext {
    return {
      abandoned: (call) => {
        this.#peers.closeAll();
        for (const track of call.getLocalStream()?.getTracks() ?? []) track.stop();
        this.#reopen(0);
      },
      over: () => {
        // Later, for the SDK is in the middle of clearing the call away.
        queueMicrotask(() => {
          this.#callOver();
        });
      },
      levels: (input, output) => {
        if (!this.#parts.native) this.#parts.onLevels(input, output);
      },
      explain: (code) =>
        SOUND_FAILURES.has(code) ? (this.#parts.native?.lastFailure?.message ?? null) : null,
    };
  }

  /** Replaces the Device by a new one with a fresh token, after `delayMs`. */
  #reopen(delayMs: number): void {
    this.#generation += 1;
    const generation = this.#generation;
    this.#discard();
    this.#report(this.#wasRegistered ? 'reconnecting' : 'registering', null);
    this.#watch(delayMs, () => void this.#open(generation));
  }

  async #open(generation: number): Promise<void> {
    let token: AccessTokenView;
    try {
      token = await this.#parts.host.call('issue_access_token', {});
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#failed(describe(error));
      return;
    }
    if (generation !== this.#generation) return;
    this.#token = token;
    let device: Device;
    try {
      device = new this.#parts.sdk.Device(token.token, this.#options());
      this.#device = device;
      // Before `register`: an invite that arrives without a listener is lost.
      this.#attach(device);
    } catch (error) {
      console.warn('the Device could not be made', error);
      this.#failed(describe(error));
      return;
    }
    this.#watch(REGISTER_TIMEOUT_MS, () => {
      this.#failed({ code: 31003, message: 'registration timed out' });
    });
    device.register().catch((error: unknown) => {
      if (this.#device === device) this.#failed(describe(error));
    });
  }

  #attach(device: Device): void {
    device.on('registered', () => {
      this.#failures = 0;
      this.#wasRegistered = true;
      this.#stopWatching();
      this.#report('registered', null);
    });
    device.on('unregistered', () => {
      // The SDK registers again once its socket is back.
      this.#report('reconnecting', null);
      this.#watch(RECONNECT_TIMEOUT_MS, () => {
        this.#failed({ code: 31003, message: 'reconnection timed out' });
      });
    });
    device.on('error', (error: { code?: number; message?: string }) => {
      const sdkError = describe(error);
      if (!TOKEN_REFUSED.has(sdkError.code)) {
        // The SDK is already trying again; the state says enough.
        this.#report(this.#deviceState(device), sdkError);
      } else if (this.#busy) {
        this.#report(this.#deviceState(device), sdkError);
        this.#afterCall = 'reopen';
      } else {
        this.#failed(sdkError);
      }
    });
    device.on('incoming', (sdkCall: Call) => {
      const call = new SdkCall(this.#context());
      call.attach(sdkCall);
      if (!this.#busy) this.#current = call;
      this.#parts.onInvite(inviteOf(sdkCall), call);
    });
  }

  /** The Device is of no use as it is: another one takes its place, sooner or later. */
  #failed(error: SdkError): void {
    if (this.#busy) {
      // Its call may still be sound.
      this.#afterCall = 'reopen';
      return;
    }
    const pause = REOPEN_AFTER_MS[Math.min(this.#failures, REOPEN_AFTER_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#generation += 1;
    const generation = this.#generation;
    this.#discard();
    this.#report(this.#wasRegistered ? 'reconnecting' : 'unregistered', error);
    this.#watch(pause, () => void this.#open(generation));
  }

  #discard(): void {
    this.#stopWatching();
    // It was to be done with this Device.
    this.#afterCall = null;
    const device = this.#device;
    this.#device = null;
    // First, or its farewell would be taken for news.
    device?.removeAllListeners();
    device?.destroy();
  }

  #deviceState(device: Device): DeviceState {
    if (stateOf(device) === 'registered') return 'registered';
    return this.#wasRegistered ? 'reconnecting' : 'registering';
  }

  #watch(ms: number, task: () => void): void {
    this.#stopWatching();
    this.#cancelWatch = this.#parts.clock.after(ms, task);
  }

  #stopWatching(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = null;
  }

  #report(state: DeviceState, error: SdkError | null): void {
    this.#parts.reportDevice({ state, error });
  }

  #options(): Device.Options & Record<string, unknown> {
    const { signalling, host } = this.#parts;
    const common: Device.Options & Record<string, unknown> = {
      appName: 'kennex-dialer',
      codecPreferences: ['opus', 'pcmu'] as unknown as Call.Codec[],
      enableImprovedSignalingErrorPrecision: true,
      maxCallSignalingTimeoutMs: SIGNALLING_TIMEOUT_MS,
      // A second caller is told that we are busy instead of ringing unheard.
      allowIncomingWhileBusy: true,
      // The window asks by itself before it quits in a call.
      closeProtection: host.kind === 'browser',
      logLevel: 'error',
      RTCPeerConnection: this.#peers.track(window.RTCPeerConnection),
      Sound: NoSound,
      // Insights would be told our addresses and every call's partner: not without the agent's consent
      // (docs/adr/0011-no-insights.md).
      publishEvents: false,
    };
    if (signalling.type === 'practice') {
      // Private options of the SDK, as `Sound` is: see its `IExtendedDeviceOptions`.
      return { ...common, chunderw: signalling.host };
    }
    const [first, ...others] = signalling.edges;
    const edge = others.length > 0 ? signalling.edges : (first ?? 'roaming');
    return { ...common, edge };
  }
}

/** The SDK's enum is a value of its module, which is loaded late; its texts are documented. */
const stateOf = (device: Device | null): string | undefined => device?.state;

function inviteOf(call: Call): Invite {
  const { From, CallSid } = call.parameters;
  return {
    peer: From ?? '',
    ourNumber: call.customParameters.get('called') ?? null,
    callSid: CallSid ?? '',
    parentCallSid: call.customParameters.get('parent') ?? null,
  };
}

/** An error of the SDK or of the program, for the log and the lights. */
function describe(error: unknown): SdkError {
  if (typeof error !== 'object' || error === null) return { code: 0, message: String(error) };
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'number' ? code : 0,
    message: typeof message === 'string' ? message : '',
  };
}
