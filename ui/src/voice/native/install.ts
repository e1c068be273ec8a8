import type { AudioDevice, UserError, VoiceEvent } from '../../host/bindings';
import type { Host } from '../../host/host';
import { VoiceEngine } from './engine';
import { patchMeters } from './meters';
import { NativePeerConnection, nativeReceiver, NativeSessionDescription } from './peer_connection';
import { NativeDtmfSender } from './sender';
import { standInStream } from './streams';

/** The native voice engine once it stands behind the page's WebRTC names. */
export interface NativeVoice {
  /** Hands an event of the engine on. */
  deliver(event: VoiceEvent): void;
  /** Hears the loudness of the call there is: microphone and far end, root mean square, 0 to 1. */
  onLevels: ((input: number, output: number) => void) | null;
  /** Why the engine failed in the call there is, or was last. */
  readonly lastFailure: UserError | null;
}

/** Whether the webview brings WebRTC of its own. */
export function hasWebRtc(page: object): boolean {
  return 'RTCPeerConnection' in page && typeof page.RTCPeerConnection === 'function';
}

/**
 * Puts the native engine where the Voice SDK looks for WebRTC. It must happen before the SDK's
 * module is evaluated. The globals are needed beside the SDK's options: it reads
 * `RTCRtpReceiver`, `RTCSessionDescription` and `RTCDTMFSender` from the window only.
 */
export function installNativeVoice(page: typeof globalThis, host: Pick<Host, 'call'>): NativeVoice {
  const engine = new VoiceEngine(host);
  const mediaDevices = nativeMediaDevices(page.navigator, host);

  const voice: NativeVoice = {
    onLevels: null,
    get lastFailure() {
      return engine.lastFailure;
    },
    deliver(event) {
      switch (event.type) {
        case 'devices_changed':
          mediaDevices.dispatchEvent(new Event('devicechange'));
          break;
        case 'device_notice':
          // For the agent, not for the SDK.
          break;
        default:
          engine.deliver(event);
      }
    },
  };

  class RTCPeerConnection extends NativePeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(engine, configuration, (input, output) => voice.onLevels?.(input, output));
    }
  }

  const globals = {
    RTCPeerConnection,
    RTCRtpReceiver: nativeReceiver,
    RTCSessionDescription: NativeSessionDescription,
    RTCDTMFSender: NativeDtmfSender,
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(page, name, { configurable: true, writable: true, value });
  }
  if (typeof page.AudioContext === 'function') patchMeters(page.AudioContext.prototype);
  return voice;
}

/** Overrides what exists, or stands in for all of it where media streams are switched off. */
function nativeMediaDevices(navigator: Navigator, host: Pick<Host, 'call'>): EventTarget {
  const existing = Reflect.get(navigator, 'mediaDevices') as EventTarget | undefined;
  const target = existing ?? new EventTarget();
  Object.defineProperties(target, {
    getUserMedia: {
      configurable: true,
      // The engine opens the microphone when the call begins, and tells when it cannot.
      value: () => Promise.resolve(standInStream('input')),
    },
    enumerateDevices: {
      configurable: true,
      value: async () => (await host.call('voice_devices', {})).map(deviceInfo),
    },
  });
  if (!existing) {
    Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: target });
  }
  return target;
}

/** A `MediaDeviceInfo`, which a page cannot construct. */
function deviceInfo({ id, label, kind }: AudioDevice): Record<string, unknown> {
  const info = {
    deviceId: id,
    label,
    kind: kind === 'microphone' ? 'audioinput' : 'audiooutput',
    groupId: '',
  };
  return { ...info, toJSON: () => info };
}
