/** What was typed into a field and cannot be read. */
export interface Unread {
  text: string;
  /** What is wrong with it, as a sentence with the cure. */
  message: string;
}

/** By the path of the field in the rules. */
export type UnreadFields = Readonly<Record<string, Unread>>;

/** Without what was typed at `path` and within. */
export function without(fields: UnreadFields, path: string): UnreadFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([field]) => field !== path && !field.startsWith(`${path}.`)),
  );
}

/** After the entries of `list` were put in another order or taken out: `order` names the old place of each. */
export function reordered(
  fields: UnreadFields,
  list: string,
  order: readonly number[],
): UnreadFields {
  const moved = Object.entries(fields).flatMap(([field, typed]): [string, Unread][] => {
    if (!field.startsWith(`${list}.`)) return [[field, typed]];
    const [place = '', ...within] = field.slice(list.length + 1).split('.');
    const now = order.indexOf(Number(place));
    return now === -1 ? [] : [[[list, now, ...within].join('.'), typed]];
  });
  return Object.fromEntries(moved);
}
