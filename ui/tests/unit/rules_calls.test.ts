import { screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { box, by, click, fill, openAnew, opened } from './account_page';
import { DEFAULTS, RULES } from './rules';
import { openPage, saved, select } from './rules_page';
import { ACCOUNT } from './stand_in';

beforeEach(openAnew);

describe('calls', () => {
  it('go to the home country, first in the list', async () => {
    await openPage('calls');
    const list = within(by('countries-allowed')).getAllByRole<HTMLInputElement>('checkbox');
    expect(list[0]).toBe(by('country-GB'));
    expect(list.map(({ checked }) => checked)).toEqual([true, ...Array<boolean>(6).fill(false)]);
    expect(by('countries-named').textContent).toBe('Allowed: United Kingdom.');
  });

  it('go to the countries that are ticked, found by name', async () => {
    await openPage('calls');
    await fill('country-search', 'land');
    const names = within(by('countries-allowed'))
      .getAllByRole('checkbox')
      .map((each) => each.dataset.testid);
    expect(names).toEqual(['country-IE']);
    await click('country-IE');
    await fill('country-search', 'xyz');
    expect(by('countries-allowed').textContent).toMatch(/No country of that name/);
    expect((await saved()).outgoing.countries).toEqual(['GB', 'IE']);
  });

  it('to the home country alone need no list', async () => {
    await openPage('calls');
    await click('country-IE');
    await click('country-IE');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
    await click('country-GB');
    expect(by('countries-named').textContent).toMatch(/No country is allowed/);
    expect((await saved()).outgoing.countries).toEqual([]);
  });

  it('to other countries are asked about or refused', async () => {
    await openPage('calls');
    await select('other-countries', 'block');
    expect((await saved()).outgoing.other_countries).toBe('block');
  });

  it('have limits, in the units people count in', async () => {
    await openPage('calls');
    expect((by('time-limit') as HTMLInputElement).value).toBe('240');
    await fill('time-limit', '1.5');
    await fill('minutes-per-day', '90');
    await fill('money-per-day', '2,50');
    expect(by('limits').textContent).toMatch(/Today so far: 34 minutes/);
    expect((await saved()).outgoing).toMatchObject({
      time_limit_s: 90,
      minutes_per_day: 90,
      money_per_day: { micros: 2_500_000, currency: 'USD' },
    });
    await fill('minutes-per-day', '');
    await fill('money-per-day', '');
    expect((await saved()).outgoing).toMatchObject({ minutes_per_day: null, money_per_day: null });
  });

  it('are limited in the currency of the account', async () => {
    opened.program.rules = { ...RULES, currency: 'EUR' };
    await opened.open(ACCOUNT);
    await click('nav-calls');
    await fill('money-per-day', '3');
    expect((await saved()).outgoing.money_per_day).toEqual({ micros: 3_000_000, currency: 'EUR' });
  });

  it('are limited in a currency that is entered where Twilio does not tell it', async () => {
    opened.program.rules = { ...RULES, rules: DEFAULTS, currency: null };
    await opened.open(ACCOUNT);
    await click('nav-calls');
    await fill('currency', 'eur');
    await fill('money-per-day', '5');
    await opened.settled();
    expect((await saved()).outgoing.money_per_day).toEqual({ micros: 5e6, currency: 'EUR' });
  });

  it('say that a limit in another currency than the account’s has them refused', async () => {
    const money_per_day = { micros: 5e6, currency: 'EUR' };
    const rules = { ...DEFAULTS, outgoing: { ...DEFAULTS.outgoing, money_per_day } };
    opened.program.rules = { ...RULES, rules, currency: 'USD' };
    await opened.open(ACCOUNT);
    await click('nav-calls');
    expect(by('limits').textContent).toMatch(/billed in USD.*refused/);
    await fill('currency', 'USD');
    await opened.settled();
    expect((await saved()).outgoing.money_per_day).toEqual({ micros: 5e6, currency: 'USD' });
  });

  it('have limits that say what counts, until when, and what happens then', async () => {
    await openPage('calls');
    const words = by('limits').textContent;
    expect(words).toMatch(/further ones are refused, until midnight/);
    expect(words).toMatch(/callers who are forwarded/);
  });

  it('for help are allowed only after the whole notice was accepted', async () => {
    await openPage('calls');
    expect(by('emergency').textContent).toMatch(/does not call 112, 911, 999/);
    await click('emergency-read');
    expect(document.activeElement).toBe(by('emergency-notice'));
    const notice = by('emergency-notice').textContent;
    for (const part of [/no replacement/, /75 dollars/, /933/, /registered/, /sleeps/]) {
      expect(notice).toMatch(part);
    }
    await click('emergency-allow');
    expect(by('hint').textContent).toMatch(/tick that you accept/);
    expect(screen.queryByTestId('rules-bar')).toBeNull();
    await click('emergency-accept');
    await click('emergency-allow');
    expect((await saved()).outgoing.emergency).toBe(true);
    await click('emergency-forbid');
    expect(by('emergency').textContent).toMatch(/does not call 112/);
    await click('emergency-read');
    expect(box('emergency-accept').checked).toBe(false);
  });
});
