/** The caller who has waited longest, as a destination. */
export const QUEUE = 'queue:';

/** Whether `text` is an address, or the beginning of one. */
export function isAddress(text: string): boolean {
  const plain = text.trim().toLowerCase();
  return ['client:', 'sip:', 'sips:'].some(
    (scheme) => plain !== '' && (plain.startsWith(scheme) || scheme.startsWith(plain)),
  );
}

/** The address that `text` is, as it is called; nothing for an incomplete one. */
export function addressOf(text: string): string | null {
  const plain = text.trim();
  if (!/^(?:client|sips?):\S+$/i.test(plain)) return null;
  return plain.replace(/^\w+:/, (scheme) => scheme.toLowerCase());
}

/** Whether `peer` can be called back. */
export function isCallable(peer: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(peer) || /^(?:client|sips?):\S/.test(peer);
}
