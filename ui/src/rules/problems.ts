import type { MenuPage, Problem, Rules } from '../host/bindings';
import { t } from '../i18n';
import { everyAnswer, everyPrompt } from './answers';
import { choicesOf } from './menu';

/** Where in the rules a problem is, without the direction of the calls: their fields differ. */
export function fieldOf({ path }: Problem): string {
  return path.replace(/^(?:incoming|outgoing)\./, '');
}

/** The page on which the problem can be mended. */
export function pageOf(problem: Problem): 'calls' | 'incoming' {
  if (problem.path.startsWith('incoming.')) return 'incoming';
  if (problem.path.startsWith('outgoing.')) return 'calls';
  return /^(?:countries|other_countries|premium|emergency|addresses|time_limit_s|most_calls|minutes_per_day|money_per_day)/.test(
    problem.path,
  )
    ? 'calls'
    : 'incoming';
}

/** The first problem of the field at `path`; with `within` also of anything it contains. */
export function problemAt(
  problems: readonly Problem[],
  path: string,
  within = false,
): string | null {
  const found = problems.find((problem) => {
    const field = fieldOf(problem);
    return field === path || (within && field.startsWith(`${path}.`));
  });
  return found?.message ?? null;
}

/**
 * What keeps rules from being handed to the program at all: numbers that are none, and recordings
 * that were not chosen yet. The program says
 * everything else.
 */
export function formProblems({ outgoing, incoming }: Rules): Problem[] {
  const forwards = everyAnswer(incoming).flatMap(([path, answer]): Problem[] => {
    if (answer.type !== 'forward' || isE164(answer.to)) return [];
    const message = answer.to.trim() === '' ? t('answer.forwardNeeded') : t('answer.forwardBad');
    return [{ path: `incoming.${path}.to`, message }];
  });
  const { music } = incoming.queue;
  const sounds = everyPrompt(incoming)
    .flatMap(([path, prompt]): [string, string][] =>
      prompt.type === 'play' ? [[path, prompt.sound]] : [],
    )
    .concat(music.type === 'recording' ? [['queue.music', music.sound]] : [])
    .filter(([, sound]) => sound === '')
    .map(([path]) => ({ path: `incoming.${path}`, message: t('sound.needed') }));
  const counts: [path: string, value: number | null][] = [
    ['outgoing.time_limit_s', outgoing.time_limit_s],
    ['outgoing.most_calls', outgoing.most_calls],
    ['outgoing.minutes_per_day', outgoing.minutes_per_day],
    ['outgoing.money_per_day', outgoing.money_per_day?.micros ?? null],
    ['incoming.ring_s', incoming.ring_s],
    ['incoming.voicemail.longest_s', incoming.voicemail.longest_s],
    ['incoming.queue.longest_wait_s', incoming.queue.longest_wait_s],
    ['incoming.queue.most_waiting', incoming.queue.most_waiting],
    ...menuCounts(incoming.menu, 'incoming.menu'),
  ];
  const numbers = counts
    .filter(([, value]) => value !== null && !(Number.isSafeInteger(value) && value >= 0))
    .map(([path]) => ({ path, message: t('rules.numberNeeded') }));
  return [...forwards, ...sounds, ...numbers];
}

function menuCounts(page: MenuPage, path: string): [string, number][] {
  const within = choicesOf(page).flatMap(([key, { then }]) =>
    then.type === 'page' ? menuCounts(then.page, `${path}.choices.${key}.then.page`) : [],
  );
  return [[`${path}.wait_s`, page.wait_s], [`${path}.attempts`, page.attempts], ...within];
}

function isE164(text: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(text);
}
