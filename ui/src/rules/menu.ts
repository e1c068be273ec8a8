import type { Choice, MenuPage } from '../host/bindings';

/** The keys of a menu, in the order in which they are offered. */
export const MENU_KEYS: readonly string[] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'];

/** How many pages lie within each other at most. */
export const DEEPEST = 5;

/** The keys of a page and what they do, `1` first and `0` last. */
export function choicesOf(page: MenuPage): [string, Choice][] {
  return MENU_KEYS.flatMap((key): [string, Choice][] => {
    const choice = page.choices[key];
    return choice ? [[key, choice]] : [];
  });
}

function withChoices(page: MenuPage, choices: readonly [string, Choice][]): MenuPage {
  return { ...page, choices: Object.fromEntries(choices) };
}

/** The keys that mean nothing yet. */
export function freeKeys(page: MenuPage): string[] {
  return MENU_KEYS.filter((key) => page.choices[key] === undefined);
}

/** One more key, which lets the caller leave a message until something else is chosen. */
export function addChoice(page: MenuPage): MenuPage {
  const [key] = freeKeys(page);
  if (key === undefined) return page;
  const choice: Choice = { label: '', then: { type: 'answer', answer: { type: 'voicemail' } } };
  return withChoices(page, [...choicesOf(page), [key, choice]]);
}

export function removeChoice(page: MenuPage, key: string): MenuPage {
  return withChoices(
    page,
    choicesOf(page).filter(([other]) => other !== key),
  );
}

export function setChoice(page: MenuPage, key: string, choice: Choice): MenuPage {
  return withChoices(
    page,
    choicesOf(page).map(([other, old]) => [other, other === key ? choice : old]),
  );
}

/** What `key` does is done by `other` from now on; what that one did, if anything, by `key`. */
export function moveChoice(page: MenuPage, key: string, other: string): MenuPage {
  return withChoices(
    page,
    choicesOf(page).map(([each, choice]) => [
      each === key ? other : each === other ? key : each,
      choice,
    ]),
  );
}

/** The page before or behind which a choice goes when it changes places with its neighbour. */
export function neighbour(page: MenuPage, key: string, step: 1 | -1): string | null {
  const keys = choicesOf(page).map(([each]) => each);
  return keys[keys.indexOf(key) + step] ?? null;
}

/** How many pages a page has within it, itself counted. */
export function countPages(page: MenuPage): number {
  return choicesOf(page).reduce(
    (sum, [, { then }]) => sum + (then.type === 'page' ? countPages(then.page) : 0),
    1,
  );
}
