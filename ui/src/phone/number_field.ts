/** Text of the number field and where the caret stands in it, in UTF-16 units. */
export interface FieldText {
  text: string;
  caret: number;
}

/** Characters that are dialled; everything else in the field is there for the eye. */
const DIALLED = /[0-9*#+a-zA-Z]/;
const NOT_DIALLED = /[^0-9*#+a-zA-Z]/g;

function dialledBefore({ text, caret }: FieldText): number {
  let count = 0;
  for (const character of text.slice(0, caret)) {
    if (DIALLED.test(character)) count += 1;
  }
  return count;
}

/**
 * `formatted` in place of the text of `field`, with the caret behind the same dialled character as
 * before.
 */
export function reformat(field: FieldText, formatted: string): FieldText {
  if (formatted === field.text) return field;
  if (field.caret >= field.text.length) return { text: formatted, caret: formatted.length };
  const wanted = dialledBefore(field);
  let caret = 0;
  for (let seen = 0; caret < formatted.length && seen < wanted; caret += 1) {
    if (DIALLED.test(formatted.charAt(caret))) seen += 1;
  }
  return { text: formatted, caret };
}

/** Puts `typed` at the caret. */
export function insert(field: FieldText, typed: string): FieldText {
  const { text, caret } = field;
  return {
    text: text.slice(0, caret) + typed + text.slice(caret),
    caret: caret + typed.length,
  };
}

/**
 * Removes the dialled character before the caret, and what is between it and the caret: deleting
 * only a space or bracket would bring it straight back with the next formatting.
 */
export function backspace({ text, caret }: FieldText): FieldText {
  let from = caret;
  while (from > 0 && !DIALLED.test(text.charAt(from - 1))) from -= 1;
  from = Math.max(0, from - 1);
  return { text: text.slice(0, from) + text.slice(caret), caret: from };
}

/** Whether going from `before` to `after` took away nothing that is dialled. */
export function onlyDecorationLost(before: string, after: string): boolean {
  const dialled = (text: string) => text.replace(NOT_DIALLED, '');
  return after.length < before.length && dialled(before) === dialled(after);
}
