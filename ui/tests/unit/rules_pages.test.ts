import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Rules } from '../../src/host/bindings';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import { PlayedCall } from './line';
import { refusal } from './program';
import { BUSY_OFFICE, DEFAULTS, RULES } from './rules';
import { openPage, pause, problems, saved } from './rules_page';
import { ACCOUNT } from './stand_in';

beforeEach(openAnew);

describe('both pages', () => {
  it('say so while the rules are fetched, and when they cannot be', async () => {
    opened.program.answers.rules = () => refusal('The settings cannot be read.');
    await opened.open(ACCOUNT);
    await click('nav-calls');
    expect(by('rules-loading').textContent).toMatch(/cannot be read/);
    delete opened.program.answers.rules;
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await opened.settled();
    by('limits');
  });

  it('have nothing to save until something is changed', async () => {
    await openPage('calls');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
    await click('premium');
    by('rules-bar');
    await click('premium');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });

  it('save all changes as one, and tell it', async () => {
    await openPage('calls');
    await click('premium');
    await click('nav-incoming');
    await fill('ring-time', '40');
    await opened.settled();
    const rules = await saved();
    expect(rules.outgoing.premium).toBe(true);
    expect(rules.incoming.ring_s).toBe(40);
    expect(sent('save_rules')).toHaveLength(1);
    expect(by('hint').textContent).toBe('Saved.');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
    expect((by('ring-time') as HTMLInputElement).value).toBe('40');
  });

  it('keep the changes when the program refuses them, and say why', async () => {
    await openPage('calls');
    opened.program.answers.save_rules = () => refusal('The settings cannot be written.');
    await click('premium');
    await click('save-rules');
    expect(by('rules-refused').textContent).toMatch(/cannot be written/);
    expect(document.activeElement?.textContent).toMatch(/cannot be written/);
    expect(box('premium').checked).toBe(true);
    by('rules-bar');
  });

  it('keep what is changed while the rest is on its way', async () => {
    await openPage('calls');
    await click('premium');
    opened.program.answers.save_rules = async ({ rules }: { rules: Rules }) => {
      await fireEvent.click(by('addresses'));
      opened.program.rules = { ...RULES, rules };
    };
    await click('save-rules');
    expect(box('addresses').checked).toBe(false);
    by('rules-bar');
    delete opened.program.answers.save_rules;
    expect((await saved()).outgoing).toMatchObject({ premium: true, addresses: false });
  });

  it('undo one change after the other, a text as a whole', async () => {
    await openPage('incoming');
    await fill('ring-time', '4');
    await fill('ring-time', '40');
    await click('hours-on');
    await click('undo-edit');
    expect(box('hours-on').checked).toBe(false);
    expect((by('ring-time') as HTMLInputElement).value).toBe('40');
    await click('undo-edit');
    expect((by('ring-time') as HTMLInputElement).value).toBe('25');
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });

  it('undo what cannot be read one field after the other', async () => {
    await openPage('incoming', BUSY_OFFICE);
    const path = ['incoming.ring_s', 'incoming.busy', 'incoming.ring_s'];
    for (const field of path) opened.dialer.rules.cannotRead(field, 'x', 'That is none.');
    await opened.settled();
    await click('undo-edit');
    expect(opened.dialer.rules.unread('incoming.ring_s')).toBeNull();
    expect(opened.dialer.rules.unread('incoming.busy')).toBe('x');
    await click('undo-edit');
    expect(opened.dialer.rules.unread('incoming.busy')).toBeNull();
  });

  it('keep the place to go to for the page that has it', async () => {
    await openPage('calls');
    opened.dialer.rules.place = 'incoming.ring_s';
    await opened.settled();
    expect(opened.dialer.rules.place).toBe('incoming.ring_s');
    await click('nav-incoming');
    expect(opened.dialer.rules.place).toBeNull();
    expect(document.activeElement).toBe(by('ring-time'));
  });

  it('discard everything that was not saved', async () => {
    await openPage('calls');
    await click('premium');
    await fill('most-calls', '7');
    await click('discard-rules');
    expect(box('premium').checked).toBe(false);
    expect((by('most-calls') as HTMLInputElement).value).toBe('2');
    expect(sent('save_rules')).toEqual([]);
  });

  it('ask the program what is wrong once the agent pauses', async () => {
    await openPage('incoming');
    opened.program.answers.check_rules = () => [
      { path: 'incoming.ring_s', message: 'The phone can ring for 5 to 600 seconds.' },
    ];
    await fill('ring-time', '6');
    await fill('ring-time', '601');
    expect(sent('check_rules')).toEqual([]);
    await pause();
    expect(sent('check_rules')).toHaveLength(1);
    expect(problems()).toMatch(/5 to 600/);
    expect(by('ring-time').getAttribute('aria-invalid')).toBe('true');
    await click('save-rules');
    expect(sent('save_rules')).toEqual([]);
    expect(by('hint').textContent).toMatch(/corrected first/);
    await fireEvent.click(screen.getByRole('button', { name: /5 to 600 seconds/ }));
    expect(document.activeElement).toBe(by('ring-time'));
  });

  it('hand over nothing that is no number, and say it at once', async () => {
    await openPage('calls');
    await fill('most-calls', 'a few');
    await opened.settled();
    await pause();
    expect(problems()).toMatch(/Enter a number/);
    expect(sent('check_rules')).toEqual([]);
    expect((by('most-calls') as HTMLInputElement).value).toBe('a few');
  });

  it('lead to a problem of the other page', async () => {
    await openPage('calls');
    await fill('most-calls', '');
    await opened.settled();
    await click('nav-incoming');
    await fireEvent.click(screen.getByRole('button', { name: /on the other page/ }));
    await opened.settled();
    expect(opened.dialer.page).toBe('calls');
  });

  it('ask before they are left with changes', async () => {
    await openPage('calls');
    await click('premium');
    await click('nav-recents');
    by('leave-rules');
    await click('leave-stay');
    expect(opened.dialer.page).toBe('calls');
    await click('nav-recents');
    await click('leave-discard');
    expect(opened.dialer.page).toBe('recents');
    expect(sent('save_rules')).toEqual([]);
    await click('nav-calls');
    expect(box('premium').checked).toBe(false);
    await click('premium');
    await click('nav-account');
    await click('leave-save');
    expect(sent('save_rules')).toHaveLength(1);
    expect(opened.dialer.page).toBe('account');
  });

  it('stay when what is to be left cannot be saved', async () => {
    await openPage('calls');
    opened.program.answers.save_rules = () => refusal('The settings cannot be written.');
    await click('premium');
    await click('nav-recents');
    await click('leave-save');
    expect(opened.dialer.page).toBe('calls');
    by('rules-refused');
  });

  it('let a call through, and keep the changes', async () => {
    await openPage('calls');
    await click('premium');
    await click('nav-recents');
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      new PlayedCall(),
    );
    await opened.settled();
    expect(screen.queryByTestId('leave-rules')).toBeNull();
    by('answer-button');
    expect(box('premium').checked).toBe(true);
  });

  it('have a browser ask before it leaves them, and the window not', async () => {
    await openPage('calls');
    const leave = (): boolean =>
      window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
    expect(leave()).toBe(true);
    await click('premium');
    expect(leave()).toBe(true);
    opened.program.kind = 'browser';
    expect(leave()).toBe(false);
  });

  it('mark their tabs while something is not saved', async () => {
    await openPage('calls');
    await click('premium');
    screen.getByRole('button', { name: 'Calls, with changes that are not saved' });
  });

  it('follow rules that were changed elsewhere, and keep the agent’s own changes', async () => {
    await openPage('calls');
    const countries = ['FR', 'GB'];
    opened.program.rules = {
      ...RULES,
      rules: { ...DEFAULTS, outgoing: { ...DEFAULTS.outgoing, countries } },
    };
    opened.program.event({ event: 'rules_changed' });
    await opened.settled();
    expect(box('country-FR').checked).toBe(true);
    await click('premium');
    opened.program.rules = RULES;
    opened.program.event({ event: 'rules_changed' });
    await opened.settled();
    expect(box('premium').checked).toBe(true);
    expect(box('country-FR').checked).toBe(true);
  });

  it('are fetched anew after a gap', async () => {
    await openPage('calls');
    const outgoing = { ...DEFAULTS.outgoing, premium: true };
    opened.program.rules = { ...RULES, rules: { ...DEFAULTS, outgoing } };
    opened.program.gap();
    await opened.settled();
    expect(box('premium').checked).toBe(true);
  });

  it('go back to the defaults once that is confirmed', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await click('reset-rules');
    await click('reset-rules-cancel');
    expect(document.activeElement).toBe(by('reset-rules'));
    await click('reset-rules');
    await click('reset-rules-confirm');
    const rules = await saved();
    expect(rules.incoming).toEqual(DEFAULTS.incoming);
    expect(rules.outgoing).toEqual(BUSY_OFFICE.outgoing);
  });

  it('are not for the phone: digits typed there stay there', async () => {
    await openPage('calls');
    await fireEvent.keyDown(by('premium'), { key: '5' });
    await fireEvent.keyDown(document.body, { key: '5' });
    expect((by('number-input') as HTMLInputElement).value).toBe('');
    expect(opened.dialer.page).toBe('calls');
  });
});
