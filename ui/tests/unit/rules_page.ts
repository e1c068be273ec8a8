import { fireEvent, screen } from '@testing-library/svelte';
import type { Rules } from '../../src/host/bindings';
import { by, click, opened, sent } from './account_page';
import { DEFAULTS, RULES } from './rules';
import { ACCOUNT } from './stand_in';

export type RulesPage = 'calls' | 'incoming';

export async function openPage(page: RulesPage, rules: Rules = DEFAULTS): Promise<void> {
  opened.program.rules = { ...RULES, rules };
  await opened.open(ACCOUNT);
  await click(`nav-${page}`);
}

export async function select(testid: string, value: string): Promise<void> {
  await fireEvent.change(by(testid), { target: { value } });
  await opened.settled();
}

/** The agent stops changing things for a moment, and the program is asked what is wrong. */
export async function pause(): Promise<void> {
  opened.clock.pass(500);
  await opened.settled();
}

export async function saved(): Promise<Rules> {
  await click('save-rules');
  const [last] = (sent('save_rules') as { rules: Rules }[]).slice(-1);
  if (!last) throw new Error('nothing was saved');
  return last.rules;
}

export const problems = () => screen.queryByTestId('rules-problems')?.textContent ?? '';
