import { en } from './en';

/** Names one text of the catalogue. */
export type MessageKey = keyof typeof en;

/** The `{name}` places of a text. */
type Places<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Places<Rest>
  : never;

/** Names a text without places. */
export type PlainKey = {
  [Key in MessageKey]: [Places<(typeof en)[Key]>] extends [never] ? Key : never;
}[MessageKey];

/** A text needs exactly the values its places name. */
type Values<Key extends MessageKey> = [Places<(typeof en)[Key]>] extends [never]
  ? []
  : [values: Record<Places<(typeof en)[Key]>, string | number>];

/** The text of `key` with its places filled. */
export function t<Key extends MessageKey>(key: Key, ...[values]: Values<Key>): string {
  const text: string = en[key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = (values as Record<string, string | number>)[name];
    return value === undefined ? place : String(value);
  });
}
