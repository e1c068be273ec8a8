import type { Host } from './host';

/** The host this page runs in. Each is loaded only where it is used. */
export async function chooseHost(): Promise<Host> {
  if ('__TAURI_INTERNALS__' in window) {
    const { tauriHost } = await import('./tauri');
    return tauriHost;
  }
  const { HttpHost, takeSecret } = await import('./http');
  const secret = takeSecret(window.location, window.history, window.sessionStorage);
  return new HttpHost(secret, {
    fetch: window.fetch.bind(window),
    setTimeout: (run, ms) => window.setTimeout(run, ms),
  });
}
