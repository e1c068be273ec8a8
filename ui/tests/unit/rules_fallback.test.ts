import { screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import * as accounts from './accounts';
import { by, click, fill, openAnew, opened, sent } from './account_page';
import { refusal } from './program';
import { RULES } from './rules';
import { openPage } from './rules_page';
import { ACCOUNT } from './stand_in';

beforeEach(openAnew);

describe('the fallback', () => {
  it('is explained, and its document copied', async () => {
    await openPage('incoming');
    expect(by('fallback-state').textContent).toMatch(/Not set up/);
    expect(by('fallback').textContent).toMatch(/practice mode/);
    await click('fallback-copy');
    expect(opened.copied).toEqual([RULES.fallback.document]);
  });

  const BIN = 'https://handler.twilio.com/twiml/EH1';
  const openConnected = async (url: string | null): Promise<void> => {
    opened.program.rules = { ...RULES, fallback: { ...RULES.fallback, url } };
    await opened.open(accounts.connected);
    await click('nav-incoming');
    await opened.settled();
  };
  const field = (): string => (by('fallback-url') as HTMLInputElement).value;

  it('is entered, saved and removed on the page', async () => {
    opened.program.answers.set_fallback = ({ url }: { url: string | null }) => ({
      ...RULES.fallback,
      url,
    });
    await openConnected(null);
    await click('fallback-save');
    await fill('fallback-url', ` ${BIN} `);
    await click('fallback-save');
    await opened.settled();
    expect(sent('set_fallback')).toEqual([{ url: BIN }]);
    expect(by('fallback-state').textContent).toMatch(/Set up.*EH1/);
    expect(field()).toBe(BIN);
    await click('fallback-save');
    expect(sent('set_fallback')).toHaveLength(1);
    await click('fallback-remove');
    await opened.settled();
    expect(sent('set_fallback')).toEqual([{ url: BIN }, { url: null }]);
    expect(by('fallback-state').textContent).toMatch(/Not set up/);
    expect(field()).toBe('');
    expect(screen.queryByTestId('fallback-check')).toBeNull();
  });

  it('that is refused says why, and keeps what was typed', async () => {
    opened.program.answers.set_fallback = () => refusal('The address must begin with https://.');
    await openConnected(BIN);
    await fill('fallback-url', 'http://x.example');
    await click('fallback-save');
    await opened.settled();
    expect(by('fallback').textContent).toMatch(/must begin with https/);
    expect(field()).toBe('http://x.example');
    expect(by('fallback-state').textContent).toMatch(/Set up.*EH1/);
  });

  it('is looked at when the page opens and when asked', async () => {
    let problem: string | null = 'It answers with 404.';
    opened.program.answers.check_fallback = () => ({ ...RULES.fallback, url: BIN, problem });
    await openConnected(BIN);
    expect(by('fallback-state').textContent).toMatch(/answers with 404/);
    opened.program.event({ event: 'rules_changed' });
    await opened.settled();
    expect(by('fallback-state').textContent).toMatch(/answers with 404/);
    problem = null;
    await click('fallback-check');
    await opened.settled();
    expect(by('fallback-state').textContent).toMatch(/Set up/);
  });

  it('says what is wrong with it', async () => {
    opened.program.rules = {
      ...RULES,
      fallback: { ...RULES.fallback, url: 'https://x.example', problem: 'It answers with 404.' },
    };
    await opened.open(ACCOUNT);
    await click('nav-incoming');
    expect(by('fallback-state').textContent).toMatch(/answers with 404/);
  });
});
