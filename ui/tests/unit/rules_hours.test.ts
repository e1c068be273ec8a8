import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { by, click, fill, openAnew, opened, sent } from './account_page';
import { BUSY_OFFICE } from './rules';
import { openPage, problems, saved, select } from './rules_page';

beforeEach(openAnew);

describe('opening hours', () => {
  it('begin with office hours and are edited by keyboard', async () => {
    await openPage('incoming');
    await click('hours-on');
    const field = by('day-0-from-0') as HTMLInputElement;
    expect(field.value).toBe('09:00');
    await fireEvent.keyDown(field, { key: 'ArrowUp' });
    await opened.settled();
    expect(field.value).toBe('09:15');
    await fill('day-0-to-0', '6 pm');
    await fireEvent.blur(by('day-0-to-0'));
    await opened.settled();
    expect((by('day-0-to-0') as HTMLInputElement).value).toBe('18:00');
    await click('copy-weekdays');
    const { hours } = (await saved()).incoming;
    expect(hours?.week[4]).toEqual([{ from: 555, to: 1080 }]);
    expect(hours?.week[5]).toEqual([]);
  });

  it('do not take what is no time, and say so', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fill('day-1-from-0', '9:75');
    await fireEvent.blur(by('day-1-from-0'));
    await opened.settled();
    expect(by('day-1-from-0').getAttribute('aria-invalid')).toBe('true');
    expect(by('hours').textContent).toMatch(/Tuesday: “9:75” is not a time/);
    expect(problems()).toMatch(/“9:75” is not a time/);
    await click('save-rules');
    expect(sent('save_rules')).toEqual([]);
    await fireEvent.click(screen.getByRole('button', { name: /“9:75” is not a time/ }));
    expect(by('day-1-from-0').closest('[data-path]')?.contains(document.activeElement)).toBe(true);
    await fill('day-1-from-0', '9:45');
    await fireEvent.blur(by('day-1-from-0'));
    expect((await saved()).incoming.hours?.week[1]?.[0]).toMatchObject({ from: 9 * 60 + 45 });
  });

  it('keep what is no time while other things are done, and where it was typed', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('day-0-add');
    await fill('day-0-from-1', 'noon');
    await click('day-0-remove-0');
    const field = (at: number) => by(`day-0-from-${at}`) as HTMLInputElement;
    expect(field(0).value).toBe('noon');
    await click('nav-calls');
    expect(problems()).toMatch(/“noon” is not a time.*other page/);
    await click('nav-incoming');
    expect(field(0).value).toBe('noon');
    await click('nav-keypad');
    by('leave-rules');
    await click('leave-stay');
    await click('discard-rules');
    expect(field(0).value).toBe('09:00');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });

  it('keep no rules from being saved once their day is closed', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fill('day-1-from-0', 'nine');
    await click('day-1');
    expect(problems()).toBe('');
    expect((await saved()).incoming.hours?.week[1]).toEqual([]);
  });

  it('do not take what is no date, and say so', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fireEvent.change(by('holiday-date-0'), { target: { value: '' } });
    await opened.settled();
    expect(by('holiday-date-0').getAttribute('aria-invalid')).toBe('true');
    expect(problems()).toMatch(/Enter a date/);
    await click('save-rules');
    expect(sent('save_rules')).toEqual([]);
    await fireEvent.change(by('holiday-date-0'), { target: { value: '2027-05-01' } });
    await opened.settled();
    expect(problems()).toBe('');
    const date = { year: 2027, month: 5, day: 1 };
    expect((await saved()).incoming.hours?.exceptions).toContainEqual(
      expect.objectContaining({ date }),
    );
  });

  it('can be several in a day, and go on past midnight', async () => {
    await openPage('incoming', BUSY_OFFICE);
    expect(screen.getByRole('group', { name: 'Saturday' }).textContent).toMatch(/next day/);
    await click('day-1-add');
    await click('day-0-remove-0');
    await click('day-6');
    const { hours } = (await saved()).incoming;
    expect(hours?.week[1]).toHaveLength(2);
    expect(hours?.week[0]).toEqual([{ from: 780, to: 1020 }]);
    expect(hours?.week[6]).toEqual([{ from: 540, to: 1020 }]);
  });

  it('are kept while they are switched off and on again', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('hours-on');
    expect(screen.queryByTestId('day-0-from-0')).toBeNull();
    await click('hours-on');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });

  it('have exceptions, in their order', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('add-holiday');
    expect(document.activeElement).toBe(by('holiday-date-2'));
    await fireEvent.change(by('holiday-date-2'), { target: { value: '2026-05-01' } });
    await opened.settled();
    await fill('holiday-label-0', 'Labour Day');
    await click('holiday-open-0');
    await click('holiday-remove-1');
    const { hours } = (await saved()).incoming;
    expect(hours?.exceptions).toEqual([
      {
        date: { year: 2026, month: 5, day: 1 },
        label: 'Labour Day',
        spans: [{ from: 540, to: 1020 }],
      },
      BUSY_OFFICE.incoming.hours?.exceptions[1],
    ]);
  });

  it('are in a time zone', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await select('zone', 'Europe/Berlin');
    expect((await saved()).incoming.hours?.zone).toBe('Europe/Berlin');
    await select('zone', '');
    expect((await saved()).incoming.hours?.zone).toBeNull();
  });
});
