import type { DeviceReport, Snapshot, VoiceEvent } from '../host/bindings';
import type { Host } from '../host/host';
import { systemClock } from '../phone/clock';
import type { Invite, LineCall } from '../phone/line';
import { hasWebRtc, installNativeVoice } from './native/install';
import { TwilioLine } from './twilio_line';
import { practiceWebSocket } from './websocket';

/** Who hears what the voice does by itself. */
export interface VoiceListeners {
  onInvite: (invite: Invite, call: LineCall) => void;
  onLevels: (input: number, output: number) => void;
  /** Tells the program what the Device is doing, in order with what is told of calls. */
  reportDevice: (report: DeviceReport) => void;
}

/** The voice of the page, ready to register. */
export interface Voice {
  line: TwilioLine;
  /** Hands over what the native engine says. */
  deliver: (event: VoiceEvent) => void;
}

/** Neither the webview nor the program can carry sound. */
export class NoVoice extends Error {
  override readonly name = 'NoVoice';
}

/**
 * Puts in place what the Voice SDK expects of a browser, and then loads it: several of these names
 * are read once, when its module is evaluated.
 */
export async function openVoice(
  host: Host,
  { native_voice, signalling }: Pick<Snapshot, 'native_voice' | 'signalling'>,
  listeners: VoiceListeners,
): Promise<Voice> {
  const own = hasWebRtc(window);
  if (!own && native_voice === 'absent') throw new NoVoice('no WebRTC and no native engine');
  const useNative = native_voice === 'always' || (native_voice === 'fallback' && !own);
  const native = useNative ? installNativeVoice(globalThis, host) : null;
  if (signalling.type === 'practice') {
    globalThis.WebSocket = practiceWebSocket(globalThis.WebSocket, signalling.host);
  }
  const sdk = await import('@twilio/voice-sdk');
  const line = new TwilioLine({ sdk, host, signalling, native, clock: systemClock, ...listeners });
  window.addEventListener('online', () => {
    line.networkReturned();
  });
  window.addEventListener('unhandledrejection', (event) => {
    console.error('unhandled rejection', event.reason);
    line.rejectionUnhandled();
  });
  return { line, deliver: (event) => native?.deliver(event) };
}
