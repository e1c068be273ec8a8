import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Rules } from '../../src/host/bindings';
import * as accounts from './accounts';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import { PlayedCall } from './line';
import { refusal } from './program';
import { BUSY_OFFICE, DEFAULTS, PREVIEW, RULES, SOUND } from './rules';
import { ACCOUNT } from './stand_in';

beforeEach(openAnew);

type RulesPage = 'calls' | 'incoming';

async function openPage(page: RulesPage, rules: Rules = DEFAULTS): Promise<void> {
  opened.program.rules = { ...RULES, rules };
  await opened.open(ACCOUNT);
  await click(`nav-${page}`);
}

async function select(testid: string, value: string): Promise<void> {
  await fireEvent.change(by(testid), { target: { value } });
  await opened.settled();
}

/** The agent stops changing things for a moment, and the program is asked what is wrong. */
async function pause(): Promise<void> {
  opened.clock.pass(500);
  await opened.settled();
}

async function saved(): Promise<Rules> {
  await click('save-rules');
  const [last] = (sent('save_rules') as { rules: Rules }[]).slice(-1);
  if (!last) throw new Error('nothing was saved');
  return last.rules;
}

const problems = () => screen.queryByTestId('rules-problems')?.textContent ?? '';

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

describe('incoming calls', () => {
  it('get what is chosen for each case', async () => {
    await openPage('incoming');
    await select('case-open', 'menu');
    await select('case-busy', 'queue');
    await select('case-hidden_number', 'decline');
    expect((await saved()).incoming).toMatchObject({
      open: { type: 'menu' },
      busy: { type: 'queue' },
      hidden_number: { type: 'decline' },
    });
    await select('case-hidden_number', 'none');
    expect((await saved()).incoming.hidden_number).toBeNull();
  });

  it('cannot be answered by ringing where ringing came to nothing', async () => {
    await openPage('incoming');
    for (const each of ['no_answer', 'busy', 'do_not_disturb', 'offline']) {
      const values = [...(by(`case-${each}`) as HTMLSelectElement).options].map(
        ({ value }) => value,
      );
      expect(values).not.toContain('ring');
      expect(values).not.toContain('menu');
    }
  });

  it('are forwarded to a number, which is read when its field is left', async () => {
    await openPage('incoming');
    await select('case-no_answer', 'forward');
    await pause();
    expect(problems()).toMatch(/Enter the number to forward to/);
    await fill('case-no_answer-to', '+44 20 7946 0018');
    expect(problems()).toMatch(/no whole number/);
    await fireEvent.blur(by('case-no_answer-to'));
    await opened.settled();
    expect(problems()).toBe('');
    expect((await saved()).incoming.no_answer).toEqual({ type: 'forward', to: '+442079460018' });
  });

  it('hear a sentence of the agent’s, which comes back with its choice', async () => {
    await openPage('incoming');
    await select('case-busy', 'message');
    await fill('case-busy-prompt-text', 'Bitte später.');
    await select('case-busy-prompt-language', 'de-DE');
    await select('case-busy', 'voicemail');
    await select('case-busy', 'message');
    expect((await saved()).incoming.busy).toEqual({
      type: 'message',
      prompt: { type: 'say', text: 'Bitte später.', language: 'de-DE' },
    });
  });

  it('ring for as long as is chosen, where they ring at all', async () => {
    await openPage('incoming');
    await select('case-open', 'voicemail');
    expect(screen.queryByTestId('ring-time')).toBeNull();
  });
});

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
    expect(by('hours').textContent).toMatch(/Such as 9:30/);
    expect(screen.queryByTestId('rules-bar')).toBeNull();
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

describe('the queue of the rules', () => {
  it('has greeting, music and limits', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fill('queue-greeting-text', 'Please hold.');
    await click('tell-position');
    await select('queue-music', 'silence');
    await fill('longest-wait', '5');
    await fill('most-waiting', '3');
    await select('overflow', 'message');
    expect((await saved()).incoming.queue).toMatchObject({
      greeting: { text: 'Please hold.' },
      tell_position: false,
      music: { type: 'silence' },
      longest_wait_s: 300,
      most_waiting: 3,
      overflow: { type: 'message' },
    });
  });

  it('needs a recording to play one', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await select('queue-music', 'recording');
    expect(problems()).toMatch(/Choose a recording/);
    await select('queue-sound', SOUND);
    expect((await saved()).incoming.queue.music).toEqual({ type: 'recording', sound: SOUND });
  });
});

describe('recordings that callers hear', () => {
  const wav = (name = 'Summer.wav', head = 'RIFF....WAVEfmt ') =>
    new File([head], name, { type: 'audio/wav' });
  const NEW = 'f'.repeat(32);

  async function choose(file: File): Promise<void> {
    await fireEvent.change(by('greeting-sound-file'), { target: { files: [file] } });
    await opened.settled();
    await opened.settled();
  }

  beforeEach(async () => {
    await openPage('incoming');
    await click('greeting-play');
  });

  it('are chosen from those there are, or added', async () => {
    expect(problems()).toMatch(/Choose a recording/);
    opened.program.answers.add_sound = ({ label }: { label: string }) => ({
      name: NEW,
      label,
      duration_s: 12,
    });
    await choose(wav());
    expect(sent('add_sound')).toEqual([{ label: 'Summer', wav_base64: btoa('RIFF....WAVEfmt ') }]);
    expect((by('greeting-sound') as HTMLSelectElement).selectedOptions[0]?.textContent).toBe(
      'Summer · 12 s',
    );
    expect((await saved()).incoming.voicemail.greeting).toEqual({ type: 'play', sound: NEW });
  });

  it('are WAV files of a size that is kept', async () => {
    await choose(wav('a.wav', 'ID3 an MP3 file'));
    expect(by('greeting').textContent).toMatch(/no WAV file/);
    const large = wav();
    Object.defineProperty(large, 'size', { value: 11 * 1024 * 1024 });
    await choose(large);
    expect(by('greeting').textContent).toMatch(/larger than 10 MB/);
    expect(sent('add_sound')).toEqual([]);
  });

  it('say why they are not taken', async () => {
    opened.program.answers.add_sound = () => refusal('The recording is longer than five minutes.');
    await choose(wav());
    expect(by('greeting').textContent).toMatch(/longer than five minutes/);
  });

  it('can be heard', async () => {
    opened.program.answers.sound = () => ({ wav_base64: btoa('RIFF....WAVE') });
    await select('greeting-sound', SOUND);
    await click('greeting-sound-play');
    expect(sent('sound')).toEqual([{ name: SOUND }]);
    expect(by('greeting-sound-player').getAttribute('src')).toMatch(/^blob:/);
    expect(by('greeting-sound-player').getAttribute('aria-label')).toMatch(/Harbour greeting/);
  });

  it('are deleted once that is confirmed', async () => {
    await select('greeting-sound', SOUND);
    await click('greeting-sound-delete');
    expect(by('greeting').textContent).toMatch(/Delete “Harbour greeting”/);
    await click('greeting-sound-delete-confirm');
    expect(sent('delete_sound')).toEqual([{ name: SOUND }]);
    expect((by('greeting-sound') as HTMLSelectElement).textContent).toMatch(/No recordings yet/);
  });

  it('give way to a text again, which is the one that was there', async () => {
    await click('greeting-say');
    expect((by('greeting-text') as HTMLTextAreaElement).value).toMatch(/leave a message/);
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });
});

describe('the preview', () => {
  it('plays the rules as they stand, and shows the conversation', async () => {
    await openPage('incoming');
    await select('case-open', 'menu');
    let answer = (): void => undefined;
    opened.program.answers.preview_incoming = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(PREVIEW);
        };
      });
    await fill('preview-keys', '2 -x1');
    await select('preview-agent', 'busy');
    await select('preview-caller', 'hidden');
    await click('preview-play');
    expect(by('preview-play').textContent).toBe('Playing…');
    await click('preview-play');
    expect(sent('preview_incoming')).toHaveLength(1);
    const [{ rules, script }] = sent('preview_incoming') as [{ rules: Rules; script: unknown }];
    expect(rules.incoming.open).toEqual({ type: 'menu' });
    expect(script).toEqual({
      at: null,
      agent: 'busy',
      keys: '2-1',
      hidden_number: true,
      agent_answers: false,
    });
    answer();
    await opened.settled();
    const lines = within(by('preview-lines')).getAllByRole('listitem');
    expect(lines).toHaveLength(PREVIEW.length);
    expect(lines[1]?.textContent).toMatch(/Caller hears.*0:01.*Welcome to Harbour Dental/);
  });

  it('plays another time', async () => {
    await openPage('incoming');
    await select('preview-when', 'at');
    await fill('preview-date', '2026-12-25');
    await fill('preview-time', '18:30');
    await fireEvent.blur(by('preview-time'));
    await click('preview-answers');
    await click('preview-play');
    expect(sent('preview_incoming')).toMatchObject([
      {
        script: {
          at: { date: { year: 2026, month: 12, day: 25 }, weekday: 4, minute: 1110 },
          agent_answers: true,
        },
      },
    ]);
  });

  it('says why it could not be played', async () => {
    await openPage('incoming');
    opened.program.answers.preview_incoming = () => refusal('The practice Twilio did not start.');
    await click('preview-play');
    expect(by('preview-failed').textContent).toMatch(/did not start/);
  });

  it('does not play what is wrong', async () => {
    await openPage('incoming');
    await fill('ring-time', '');
    await opened.settled();
    await click('preview-play');
    expect(sent('preview_incoming')).toEqual([]);
  });
});

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
