/** Fewer characters are refused. */
export const PASSPHRASE_MIN = 10;

export type Strength = 'short' | 'weak' | 'fair' | 'strong';

/**
 * How hard a passphrase is to guess, roughly: by its length and by how many different characters it
 * has. It is a hint; only too short is refused.
 */
export function strengthOf(passphrase: string): Strength {
  const characters = Array.from(passphrase);
  if (characters.length < PASSPHRASE_MIN) return 'short';
  const different = new Set(characters).size;
  if (different < 6) return 'weak';
  if (characters.length >= 20 && different >= 10) return 'strong';
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(passphrase));
  if (characters.length >= 16) return kinds.length >= 3 ? 'strong' : 'fair';
  return kinds.length >= 3 ? 'fair' : 'weak';
}
