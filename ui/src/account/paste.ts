import type { CredentialField } from '../host/bindings';

/** What a paste into one of the two fields turns out to be. */
export type Pasted =
  | { kind: 'both'; sid: string; token: string }
  /** A whole `.env` file, or a piece of one. */
  | { kind: 'env' }
  | { kind: 'one' };

const SID = /\bAC[0-9a-f]{32}\b/gi;
const TOKEN = /(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])/gi;
const ASSIGNMENT = /^\s*(?:export\s+)?[A-Z][A-Z0-9_]*\s*=/m;

/** Reads a paste. Both values are recognised however the Console, a note or a mail sets them apart. */
export function readPaste(text: string): Pasted {
  if (ASSIGNMENT.test(text)) return { kind: 'env' };
  const [sid, otherSid] = text.match(SID) ?? [];
  const [token, otherToken] = text.match(TOKEN) ?? [];
  if (sid === undefined || token === undefined || otherSid !== undefined) return { kind: 'one' };
  return otherToken === undefined ? { kind: 'both', sid, token } : { kind: 'one' };
}

/** The field that `text` belongs to when it was put into the other of the two; nothing when it is in place. */
export function swapped(field: CredentialField, text: string): 'account_sid' | 'auth_token' | null {
  if (field === 'account_sid' && /^[0-9a-f]{32}$/i.test(text)) return 'auth_token';
  if (field === 'auth_token' && /^AC[0-9a-f]{32}$/i.test(text)) return 'account_sid';
  return null;
}

/** Far more than any `.env` file needs, and little enough to be sent in one piece. */
export const ENV_MAX_BYTES = 65_536;
