import type { AccountStatus } from '../host/bindings';

/** Key of the memory under which the page after a reload finds what the reload was for. */
const CHANGED = 'kennex-dialer.changed';

/** What another phone behind the page came with. */
type Purpose = 'connected' | 'changed' | 'disconnected';

/** What the page is loaded anew for. */
export function purposeOf(status: AccountStatus | null): Purpose {
  // The account says so only afterwards: it is still on its way there.
  if (status?.phase === 'disconnecting') return 'disconnected';
  return status?.connected ? 'changed' : 'connected';
}

export function remember(memory: Pick<Storage, 'setItem'>, purpose: Purpose): void {
  memory.setItem(CHANGED, purpose);
}

/** What the last reload was for, if the page has been; it is told once. */
export function recall(memory: Pick<Storage, 'getItem' | 'removeItem'>): string | null {
  const purpose = memory.getItem(CHANGED);
  memory.removeItem(CHANGED);
  return purpose;
}
