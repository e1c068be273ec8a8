/** The largest file that is taken as a recording, in bytes. */
export const WAV_MAX_BYTES = 10 * 1024 * 1024;

/** How many bytes are turned to text at a time: a call takes only so many arguments. */
const PIECE = 0x8000;

/** An address under which the page plays the WAV file; revoke it when it is no longer heard. */
export function wavUrl(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: 'audio/wav' }));
}

/** Whether the bytes begin as a WAV file does. */
export function isWav(bytes: Uint8Array): boolean {
  const name = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  return name(0) === 'RIFF' && name(8) === 'WAVE';
}

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(text);
}
