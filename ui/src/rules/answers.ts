import type { Answer, IncomingRules, MenuPage, Prompt } from '../host/bindings';
import { choicesOf } from './menu';

export type AnswerType = Answer['type'];

/** A field of the rules that says what callers get. */
export type Case =
  'open' | 'no_answer' | 'busy' | 'do_not_disturb' | 'offline' | 'closed' | 'hidden_number';

/** What takes the place of ringing cannot ring, nor lead into the menu, which may ring. */
const INSTEAD_OF_RINGING: readonly AnswerType[] = [
  'voicemail',
  'forward',
  'queue',
  'message',
  'decline',
];

/** What can be chosen in each case, the usual first. */
export const POSSIBLE: Readonly<
  Record<Case | 'key' | 'otherwise' | 'overflow', readonly AnswerType[]>
> = {
  open: ['ring', 'menu', 'queue', 'forward', 'voicemail', 'message', 'decline'],
  no_answer: INSTEAD_OF_RINGING,
  busy: INSTEAD_OF_RINGING,
  do_not_disturb: INSTEAD_OF_RINGING,
  offline: INSTEAD_OF_RINGING,
  closed: ['voicemail', 'message', 'forward', 'menu', 'queue', 'decline'],
  hidden_number: ['ring', 'menu', 'queue', 'voicemail', 'message', 'forward', 'decline'],
  key: ['ring', 'queue', 'forward', 'voicemail', 'message'],
  otherwise: ['voicemail', 'ring', 'queue', 'forward', 'message'],
  overflow: ['voicemail', 'forward', 'message'],
};

export function say(text: string): Prompt {
  return { type: 'say', text, language: null };
}

/** The answer of a kind, before anything else is known of it. */
export function answerOf(type: AnswerType): Answer {
  switch (type) {
    case 'forward':
      return { type, to: '' };
    case 'message':
      return { type, prompt: say('Nobody can take your call right now. Please call again later.') };
    case 'ring':
    case 'voicemail':
    case 'menu':
    case 'queue':
    case 'decline':
      return { type };
  }
}

/** A new page of the menu: a text to be changed, and one key that leads somewhere. */
export function newPage(text: string, label: string): MenuPage {
  return {
    prompt: say(text),
    choices: { '1': { label, then: { type: 'answer', answer: { type: 'voicemail' } } } },
    wait_s: 6,
    attempts: 3,
    otherwise: { type: 'voicemail' },
  };
}

/** Whether callers can come to the menu, or to the queue. */
export function isUsed(rules: IncomingRules, type: 'menu' | 'queue'): boolean {
  return everyAnswer(rules).some(
    ([path, answer]) => answer.type === type && isReached(path, rules),
  );
}

/** What a menu says counts only where there is a way into it. */
function isReached(path: string, rules: IncomingRules): boolean {
  if (path === 'closed') return rules.hours !== null;
  if (!path.startsWith('menu.')) return true;
  return everyAnswer(rules).some(
    ([from, { type }]) => type === 'menu' && !from.startsWith('menu.'),
  );
}

/** Every answer in the rules, with where it stands. */
export function everyAnswer(rules: IncomingRules): [path: string, answer: Answer][] {
  const cases = (
    ['open', 'closed', 'no_answer', 'busy', 'do_not_disturb', 'offline', 'hidden_number'] as const
  ).flatMap((each): [string, Answer][] => (rules[each] ? [[each, rules[each]]] : []));
  return [...cases, ...menuAnswers(rules.menu, 'menu'), ['queue.overflow', rules.queue.overflow]];
}

function menuAnswers(page: MenuPage, path: string): [string, Answer][] {
  const keys = choicesOf(page).flatMap(([key, { then }]): [string, Answer][] => {
    const at = `${path}.choices.${key}.then`;
    return then.type === 'page'
      ? menuAnswers(then.page, `${at}.page`)
      : [[`${at}.answer`, then.answer]];
  });
  return [...keys, [`${path}.otherwise`, page.otherwise]];
}

/** Every prompt in the rules, with where it stands. */
export function everyPrompt(rules: IncomingRules): [path: string, prompt: Prompt][] {
  const messages = everyAnswer(rules).flatMap(([path, answer]): [string, Prompt][] =>
    answer.type === 'message' ? [[`${path}.prompt`, answer.prompt]] : [],
  );
  return [
    ['voicemail.greeting', rules.voicemail.greeting],
    ...menuPrompts(rules.menu, 'menu'),
    ['queue.greeting', rules.queue.greeting],
    ...messages,
  ];
}

function menuPrompts(page: MenuPage, path: string): [string, Prompt][] {
  const within = choicesOf(page).flatMap(([key, { then }]): [string, Prompt][] =>
    then.type === 'page' ? menuPrompts(then.page, `${path}.choices.${key}.then.page`) : [],
  );
  return [[`${path}.prompt`, page.prompt], ...within];
}
