/**
 * The Voice SDK connects to `wss://<host>/signal` whatever the host is, and takes
 * `globalThis.WebSocket` once, when its module is evaluated. The practice Twilio on this computer
 * speaks plain `ws:`, so in practice mode this stands in its place beforehand. It changes exactly
 * that one address and no other.
 */
export function practiceWebSocket(
  Native: typeof WebSocket,
  practiceHost: string,
): typeof WebSocket {
  const signal = `wss://${practiceHost}/signal`;
  return class PracticeWebSocket extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(String(url) === signal ? `ws://${practiceHost}/signal` : url, protocols);
    }
  };
}
