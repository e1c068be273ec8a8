import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { by, click, fill, openAnew, opened } from './account_page';
import { BUSY_OFFICE, DEFAULTS } from './rules';
import { openPage, pause, saved, select } from './rules_page';

beforeEach(openAnew);

describe('the menu', () => {
  const menu = async () => (await saved()).incoming.menu;

  it('says that no caller comes to it yet', async () => {
    await openPage('incoming');
    expect(by('menu').textContent).toMatch(/No caller comes here yet/);
    expect((by('menu-details') as HTMLDetailsElement).open).toBe(false);
    await select('case-open', 'menu');
    expect(by('menu').textContent).not.toMatch(/No caller comes here yet/);
    expect((by('menu-details') as HTMLDetailsElement).open).toBe(true);
  });

  it('gets keys, which go to the last row and the focus with them', async () => {
    await openPage('incoming');
    await click('menu-add');
    expect(document.activeElement).toBe(by('menu-3-label'));
    await fill('menu-3-label', 'Sales');
    await select('menu-3-answer', 'queue');
    await select('menu-3-key', '9');
    expect((await menu()).choices['9']).toEqual({
      label: 'Sales',
      then: { type: 'answer', answer: { type: 'queue' } },
    });
  });

  it('has its keys in another order', async () => {
    await openPage('incoming');
    await click('menu-2-up');
    expect((await menu()).choices).toEqual({
      '1': DEFAULTS.incoming.menu.choices['2'],
      '2': DEFAULTS.incoming.menu.choices['1'],
    });
    expect((by('menu-1-up') as HTMLButtonElement).disabled).toBe(true);
    expect((by('menu-2-down') as HTMLButtonElement).disabled).toBe(true);
  });

  it('leads to pages within pages, and no deeper than they may lie', async () => {
    await openPage('incoming');
    for (const at of ['menu-1', 'menu-11', 'menu-111', 'menu-1111'])
      await select(`${at}-leads`, 'page');
    expect(by('menu-1111-page').dataset.depth).toBe('4');
    const leads = by('menu-11111-leads') as HTMLSelectElement;
    expect(leads.options[1]?.disabled).toBe(true);
    expect(leads.options[1]?.textContent).toMatch(/not deeper than 5/);
    expect(by('menu-details').textContent).toMatch(/5 pages/);
    expect(by('menu-details').textContent).toMatch(/Page 1 › 1 › 1/);
  });

  it('loses a page with everything in it only once that is confirmed', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('menu-1-remove');
    expect(by('menu-1').textContent).toMatch(/Remove “Appointments” with everything in it/);
    await click('menu-1-remove-confirm');
    expect(Object.keys((await menu()).choices)).toEqual(['2']);
  });

  it('gives a page back that was taken out by mistake', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await select('menu-1-leads', 'answer');
    await select('menu-1-leads', 'page');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });

  it('shows a problem on the page and the key it belongs to', async () => {
    await openPage('incoming', BUSY_OFFICE);
    opened.program.answers.check_rules = () => [
      {
        path: 'incoming.menu.choices.1.then.page.prompt',
        message: 'Callers would hear nothing. Write what they shall hear.',
      },
    ];
    await fill('menu-1-prompt-text', '');
    await pause();
    expect(by('menu-1-prompt').textContent).toMatch(/Callers would hear nothing/);
    await fireEvent.click(screen.getByRole('button', { name: /Callers would hear nothing/ }));
    expect(by('menu-1-prompt').contains(document.activeElement)).toBe(true);
  });

  it('says what callers get who press nothing', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fill('menu-wait', '10');
    await fill('menu-attempts', '2');
    await select('menu-otherwise', 'queue');
    expect(await menu()).toMatchObject({ wait_s: 10, attempts: 2, otherwise: { type: 'queue' } });
  });

  it('goes back to the first one', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('reset-menu');
    await click('reset-menu-confirm');
    expect(await menu()).toEqual(DEFAULTS.incoming.menu);
  });
});
