import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { t } from '../i18n';
import type { HostEvent } from './bindings';
import { toHostError, type Answer, type Host } from './host';

/** The Tauri window: commands by IPC, events on one channel. */
export const tauriHost: Host = {
  kind: 'window',

  restart() {
    void invoke('restart');
  },

  reload() {
    location.reload();
  },

  async call(name, args) {
    try {
      return await invoke<Answer<typeof name>>('host', { command: name, arguments: args });
    } catch (cause) {
      throw toHostError(cause, t('host.failed'));
    }
  },

  async listen(handler, missed) {
    const stops = await Promise.all([
      listen<HostEvent>('host-event', ({ payload }) => {
        handler(payload);
      }),
      // IPC lives and dies with the page; a gap comes only from a window that fell behind.
      listen('host-events-missed', missed),
    ]);
    return () => {
      for (const stop of stops) stop();
    };
  },
};
