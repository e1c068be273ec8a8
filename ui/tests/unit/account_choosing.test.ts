import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { box, by, click, fill, openAnew, opened, sent } from './account_page';
import * as accounts from './accounts';

beforeEach(openAnew);

describe('choosing', () => {
  const choices = accounts.choosing.choices;

  it('uses what is suggested', async () => {
    await opened.openAccount(accounts.choosing);
    expect(box('number-+12025550143').checked).toBe(true);
    expect(box('number-+12025550111').disabled).toBe(true);
    expect((by('caller-id') as HTMLSelectElement).value).toBe('+12025550143');
    expect(box('tunnel-cloudflared_quick').checked).toBe(true);
    await click('set-up');
    expect(sent('set_up')).toEqual([{ choices }]);
  });

  it('takes a number that is in use only after its warning was answered', async () => {
    await opened.openAccount(accounts.choosing);
    await click('number-+12025550187');
    expect(box('number-+12025550187').checked).toBe(false);
    expect(by('number-warning-+12025550187').textContent).toMatch(/hooks\.example\.com/);
    await fireEvent.click(screen.getByRole('button', { name: 'Leave it' }));
    expect(screen.queryByTestId('number-warning-+12025550187')).toBeNull();
    await click('number-+12025550187');
    await click('number-take-+12025550187');
    expect(box('number-+12025550187').checked).toBe(true);
    await click('set-up');
    expect(sent('set_up')).toEqual([
      { choices: { ...choices, ring: [accounts.FIRST, accounts.SECOND] } },
    ]);
  });

  it('says that nobody can call when nothing is ticked', async () => {
    await opened.openAccount(accounts.choosing);
    expect(screen.queryByTestId('nothing-rings')).toBeNull();
    await click('number-+12025550143');
    by('nothing-rings');
  });

  it('says beside its button what callers get while this computer is off', async () => {
    await opened.openAccount(accounts.choosing);
    expect(by('while-off').textContent).toMatch(/error occurred.*Under More/);
    expect(by('tunnel-advanced').querySelector('summary')?.textContent).toMatch(/^More/);
    await fill('tunnel-fallback_url', 'https://handler.twilio.com/twiml/EH1');
    await opened.settled();
    expect(screen.queryByTestId('while-off')).toBeNull();
    await fill('tunnel-fallback_url', ' ');
    await opened.settled();
    by('while-off');
    // Nobody calls where nothing rings.
    await click('number-+12025550143');
    expect(screen.queryByTestId('while-off')).toBeNull();
  });

  it('sends what was picked and typed', async () => {
    await opened.openAccount(accounts.choosing);
    await fireEvent.change(by('caller-id'), { target: { value: '+442079460018' } });
    await click('tunnel-fixed');
    await fill('tunnel-url', 'https://phone.example.com');
    await fill('tunnel-fallback_url', 'https://handler.twilio.com/twiml/EH1');
    await click('set-up');
    expect(sent('set_up')).toEqual([
      {
        choices: {
          caller_id: '+442079460018',
          ring: [accounts.FIRST],
          tunnel: { type: 'fixed', url: 'https://phone.example.com' },
          fallback_url: 'https://handler.twilio.com/twiml/EH1',
        },
      },
    ]);
  });

  it('says what is missing, at the top and at the field', async () => {
    await opened.openAccount(accounts.choosing);
    await click('tunnel-fixed');
    by('set-up').focus();
    await click('set-up');
    expect(sent('set_up')).toEqual([]);
    expect(by('account-error').textContent).toMatch(/Enter the public address/);
    expect(by('tunnel-url').getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement?.textContent).toMatch(/Something is missing/);
    await fill('tunnel-url', 'https://phone.example.com');
    await opened.settled();
    expect(screen.queryByTestId('account-error')).toBeNull();
    await click('set-up');
    expect(sent('set_up')).toHaveLength(1);
  });

  it('says of an address that is left what is wrong with it, and of none that is empty', async () => {
    await opened.openAccount(accounts.choosing);
    await click('tunnel-fixed');
    await fireEvent.blur(by('tunnel-url'));
    expect(by('tunnel-url').getAttribute('aria-invalid')).toBe('false');
    await fill('tunnel-url', 'phone.example.com');
    await opened.settled();
    expect(by('tunnel-url').getAttribute('aria-invalid')).toBe('false');
    await fireEvent.blur(by('tunnel-url'));
    expect(by('tunnel').textContent).toMatch(/begins with https/);
    expect(screen.queryByTestId('account-error')).toBeNull();
    // Another way has another address, which nobody has typed yet.
    await click('tunnel-ssh');
    expect(by('tunnel').textContent).not.toMatch(/begins with https/);
    await click('tunnel-fixed');
    await fill('tunnel-url', 'https://phone.example.com');
    await fireEvent.blur(by('tunnel-url'));
    await opened.settled();
    expect(by('tunnel').textContent).not.toMatch(/begins with https/);
    await fill('tunnel-fallback_url', 'nonsense');
    await fireEvent.blur(by('tunnel-fallback_url'));
    expect(by('tunnel-advanced').textContent).toMatch(/begins with https/);
  });

  it('keeps what was picked while the program goes on telling', async () => {
    await opened.openAccount(accounts.choosing);
    await click('number-+12025550143');
    await opened.tell(accounts.verifying);
    expect(box('number-+12025550143').checked).toBe(false);
  });

  it('tells a trial account what it cannot do', async () => {
    await opened.openAccount(accounts.trial);
    expect(by('trial-limits').textContent).toMatch(/only numbers that you have verified/);
    by('balance-low');
    expect(by('remark').textContent).toMatch(/TwiML App/);
  });

  it('says of an account that is stopped that it is', async () => {
    const { inventory } = accounts.choosing;
    if (!inventory) throw new Error('it was looked at');
    await opened.openAccount({
      ...accounts.choosing,
      inventory: { ...inventory, standing: 'suspended' },
    });
    expect(by('standing').textContent).toMatch(/suspended/);
    await click('set-up');
    expect(sent('set_up')).toEqual([]);
  });

  it('without any number says what to do', async () => {
    await opened.openAccount(accounts.noNumbers);
    expect(by('no-numbers').textContent).toMatch(/buy a number/);
    expect(by('set-up').title).toMatch(/no number/);
    await click('look-again');
    expect(sent('repair')).toEqual([{ repair: 'choose_numbers' }]);
  });

  it('says which programs are on this computer', async () => {
    await opened.openAccount(accounts.choosing);
    const about = (kind: string) => by(`tunnel-${kind}`).closest('label')?.textContent;
    expect(about('cloudflared_quick')).toMatch(/cloudflared is on this computer.*/);
    expect(about('cloudflared_quick')).toMatch(/Suggested/);
    expect(about('ngrok')).toMatch(/ngrok was not found/);
    // Where it is found nobody has to say where it is.
    expect(screen.queryByTestId('tunnel-program')).toBeNull();
    await click('tunnel-ngrok');
    by('tunnel-program');
    by('credential-tunnel_token');
  });

  it('lists the countries, with a warning for risky ranges', async () => {
    await opened.openAccount(accounts.choosing);
    const countries = within(by('countries'));
    expect(countries.getByTestId('countries-risk').textContent).toMatch(/Latvia/);
    expect(countries.getAllByRole('row', { hidden: true })).toHaveLength(4);
  });

  it('leads back to another account', async () => {
    await opened.openAccount(accounts.choosing);
    await click('forget');
    expect(sent('forget_credentials')).toHaveLength(1);
  });

  it('finds a number among many', async () => {
    const { inventory } = accounts.choosing;
    const [first] = inventory?.numbers ?? [];
    if (!inventory || !first) throw new Error('there are numbers');
    const numbers = Array.from({ length: 9 }, (_, i) => ({
      ...first,
      sid: `PN${i}`,
      number: `+1202555010${i}`,
      formatted: `+1 202-555-010${i}`,
      name: i === 4 ? 'Sales' : '',
    }));
    await opened.openAccount({ ...accounts.choosing, inventory: { ...inventory, numbers } });
    await fill('number-search', 'sal');
    await opened.settled();
    expect(within(by('numbers')).getAllByRole('checkbox')).toHaveLength(1);
    by('number-+12025550104');
    await fill('number-search', 'nobody');
    await opened.settled();
    expect(by('numbers').textContent).toMatch(/None of your numbers/);
  });
});

describe('verifying a caller id', () => {
  it('reads the number, asks Twilio and shows the code', async () => {
    await opened.openAccount(accounts.choosing);
    await fill('verify-number', '12');
    await click('verify');
    expect(sent('verify_caller_id')).toEqual([]);
    expect(by('hint').textContent).toMatch(/Start with \+/);
    await fill('verify-number', '+44 7700 900123');
    await click('verify');
    expect(sent('verify_caller_id')).toEqual([{ number: '+447700900123' }]);
    await opened.tell(accounts.verifying);
    expect(by('verification-code').textContent).toMatch(/4 9 3 8 1 7.*493817/);
    expect(screen.queryByTestId('verify-number')).toBeNull();
  });

  it('that does not go on is put aside for another number', async () => {
    await opened.openAccount(accounts.verifying);
    expect(screen.queryByTestId('verify-number')).toBeNull();
    await click('hide-check');
    expect(screen.queryByTestId('caller-id-check')).toBeNull();
    expect(document.activeElement).toBe(by('verify-number'));
    await opened.tell({ ...accounts.verifying, waiting: null });
    expect(screen.queryByTestId('caller-id-check')).toBeNull();
    await fill('verify-number', '+44 7700 900124');
    await click('verify');
    expect(sent('verify_caller_id')).toEqual([{ number: '+447700900124' }]);
    by('caller-id-check');
  });

  it('that was put aside is told of all the same when it ends', async () => {
    const check = accounts.verifying.caller_id_check;
    if (!check) throw new Error('one is verified');
    await opened.openAccount(accounts.verifying);
    await click('hide-check');
    await opened.tell({
      ...accounts.choosing,
      caller_id_check: { ...check, code: null, state: 'verified' },
    });
    expect(by('caller-id-check').textContent).toMatch(/is verified/);
    await opened.tell(accounts.verifying);
    by('verification-code');
  });

  it('offers the number once it is verified', async () => {
    const check = accounts.verifying.caller_id_check;
    const { inventory } = accounts.choosing;
    if (!check || !inventory) throw new Error('one is verified');
    const { number, formatted } = check;
    await opened.openAccount({
      ...accounts.choosing,
      inventory: { ...inventory, verified: [{ number, formatted, name: '' }] },
      caller_id_check: { ...check, code: null, state: 'verified' },
    });
    await click('use-verified');
    expect((by('caller-id') as HTMLSelectElement).value).toBe(number);
    expect(screen.queryByTestId('use-verified')).toBeNull();
  });

  it('that failed says why and can be tried again', async () => {
    const check = accounts.verifying.caller_id_check;
    if (!check) throw new Error('one is verified');
    await opened.openAccount({
      ...accounts.choosing,
      caller_id_check: {
        ...check,
        state: 'failed',
        error: { code: 'TwilioFailed', message: 'Nobody answered.', detail: null },
      },
    });
    expect(by('caller-id-check').textContent).toMatch(/Nobody answered/);
    await click('verify-again');
    expect(sent('verify_caller_id')).toEqual([{ number: '+447700900123' }]);
  });
});
