import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { by, click, fill, openAnew, opened, sent } from './account_page';
import { PlayedCall } from './line';
import { refusal } from './program';
import { ACCOUNT, SNAPSHOT } from './stand_in';

const NUMBER = '+33199001234';
const ASK = {
  type: 'ask',
  question: { region: 'FR', country: 'France' },
  price_per_minute: { micros: 20_000, currency: 'USD' },
} as const;

beforeEach(openAnew);

const placed = () => opened.line.placed.map(({ params }) => params);

async function call(text: string): Promise<void> {
  await fill('number-input', text);
  await opened.settled();
  await click('call-button');
}

/** The program asks about the first call that is not confirmed. */
function asks(): void {
  opened.program.answers.prepare_call = ({ to, confirmed }: { to: string; confirmed: boolean }) =>
    confirmed ? { type: 'go', to } : ASK;
}

function ring(): PlayedCall {
  const played = new PlayedCall();
  opened.listeners.onInvite(
    { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
    played,
  );
  return played;
}

describe('every call', () => {
  it('is asked for first, under the name it is then placed with', async () => {
    await opened.open(ACCOUNT);
    await call(NUMBER);
    const [asked] = sent('prepare_call') as { call: string; to: string }[];
    expect(asked).toMatchObject({ to: NUMBER, caller_id: null, confirmed: false });
    expect(placed()).toEqual([{ To: NUMBER, CallId: asked?.call }]);
  });

  it('goes where the program says', async () => {
    await opened.open(ACCOUNT);
    opened.program.answers.prepare_call = () => ({ type: 'go', to: '+442079460000' });
    await call(NUMBER);
    expect(placed()[0]?.To).toBe('+442079460000');
  });

  it('is not placed twice while it is asked for', async () => {
    await opened.open(ACCOUNT);
    let permit = (): void => undefined;
    opened.program.answers.prepare_call = ({ to }: { to: string }) =>
      new Promise((resolve) => {
        permit = () => {
          resolve({ type: 'go', to });
        };
      });
    await call(NUMBER);
    expect(by('call-button').title).toMatch(/being placed/);
    await click('call-button');
    permit();
    await opened.settled();
    expect(placed()).toHaveLength(1);
    expect(sent('prepare_call')).toHaveLength(1);
  });

  it('gives way to a caller who was quicker', async () => {
    await opened.open(ACCOUNT);
    let permit = (): void => undefined;
    opened.program.answers.prepare_call = ({ to }: { to: string }) =>
      new Promise((resolve) => {
        permit = () => {
          resolve({ type: 'go', to });
        };
      });
    await call(NUMBER);
    const played = ring();
    permit();
    await opened.settled();
    expect(placed()).toEqual([]);
    played.happens({ type: 'canceled' });
    opened.dialer.dismissEnding();
    await opened.settled();
    expect((by('number-input') as HTMLInputElement).value).not.toBe('');
    expect(by('call-button').getAttribute('aria-disabled')).toBe('false');
  });
});

describe('a refusal', () => {
  it('is told beside the number until something else is typed', async () => {
    await opened.open(ACCOUNT);
    opened.program.answers.prepare_call = () =>
      refusal('Calls to France are not allowed.', 'CallRefused');
    await call(NUMBER);
    expect(by('call-refused').textContent).toBe('Calls to France are not allowed.');
    expect((by('number-input') as HTMLInputElement).value).toBe('+331 990 012 34');
    expect(placed()).toEqual([]);
    await fill('number-input', '+3319900123');
    await opened.settled();
    expect(screen.queryByTestId('call-refused')).toBeNull();
  });

  it('of the last number, called again, shows which', async () => {
    await opened.open(ACCOUNT);
    await call(NUMBER);
    opened.line.last.happens({ type: 'ended' });
    opened.dialer.dismissEnding();
    opened.program.answers.prepare_call = () => refusal('Enough for today.', 'CallRefused');
    await opened.settled();
    await click('call-button');
    expect(by('call-refused').textContent).toBe('Enough for today.');
    expect((by('number-input') as HTMLInputElement).value).toBe('+331 990 012 34');
  });

  it('of an emergency call cannot be overlooked', async () => {
    await opened.open(ACCOUNT);
    opened.program.answers.prepare_call = () =>
      refusal('This program cannot call 911: use a mobile or a land line now.', 'CallRefused');
    await fill('number-input', '911');
    await opened.settled();
    expect(by('emergency-number').textContent).toBe('Emergency number');
    await click('call-button');
    expect(sent('prepare_call')).toMatchObject([{ to: '911' }]);
    const dialog = screen.getByRole('alertdialog', { name: '911 was not called' });
    expect(dialog.textContent).toMatch(/land line now/);
    expect(document.activeElement).toBe(by('emergency-close'));
    await fireEvent.keyDown(by('emergency-close'), { key: 'Escape' });
    await opened.settled();
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });
});

describe('a country that is not in the list', () => {
  it('is called once', async () => {
    await opened.open(ACCOUNT);
    asks();
    await call(NUMBER);
    const dialog = screen.getByRole('dialog', { name: 'Call France?' });
    expect(dialog.textContent).toMatch(/0\.02 a minute/);
    // Enter pressed once too often must not answer.
    expect(document.activeElement).toBe(dialog);
    expect(placed()).toEqual([]);
    await click('call-once');
    expect(screen.queryByRole('dialog')).toBeNull();
    const [first, second] = sent('prepare_call') as { call: string; confirmed: boolean }[];
    expect(second).toMatchObject({ to: NUMBER, confirmed: true });
    expect(second?.call).not.toBe(first?.call);
    expect(placed()).toEqual([{ To: NUMBER, CallId: second?.call }]);
    expect(sent('allow_country')).toEqual([]);
  });

  it('is allowed for good', async () => {
    await opened.open(ACCOUNT);
    asks();
    await call(NUMBER);
    await click('allow-always');
    expect(sent('allow_country')).toEqual([{ region: 'FR' }]);
    expect(placed()).toHaveLength(1);
  });

  it('is not allowed for good where the number does not tell it', async () => {
    await opened.open(ACCOUNT);
    const question = { region: '', country: 'an unknown country' };
    opened.program.answers.prepare_call = () => ({ ...ASK, question });
    await call(NUMBER);
    expect(by('ask-country').textContent).toMatch(/Several countries share/);
    expect(by('ask-country').textContent).not.toMatch(/unknown country/);
    expect(screen.queryByTestId('allow-always')).toBeNull();
    by('call-once');
  });

  it('is not called when allowing it fails', async () => {
    await opened.open(ACCOUNT);
    asks();
    opened.program.answers.allow_country = () => refusal('The settings cannot be written.');
    await call(NUMBER);
    await click('allow-always');
    expect(by('call-refused').textContent).toMatch(/cannot be written/);
    expect(placed()).toEqual([]);
  });

  it.each(['ask-cancel', 'Escape'])('is not called after %s, and its number stays', async (way) => {
    await opened.open(ACCOUNT);
    asks();
    await call(NUMBER);
    if (way === 'Escape') await fireEvent.keyDown(by('call-once'), { key: way });
    else await click(way);
    await opened.settled();
    expect(screen.queryByTestId('ask-country')).toBeNull();
    expect((by('number-input') as HTMLInputElement).value).toBe('+331 990 012 34');
    expect(placed()).toEqual([]);
  });

  it('says when its price is not known', async () => {
    await opened.open(ACCOUNT);
    opened.program.answers.prepare_call = () => ({ ...ASK, price_per_minute: null });
    await call(NUMBER);
    expect(by('ask-country').textContent).toMatch(/not known/);
  });

  it('is no longer asked about when somebody calls', async () => {
    await opened.open(ACCOUNT);
    asks();
    await call(NUMBER);
    ring();
    await opened.settled();
    expect(screen.queryByTestId('ask-country')).toBeNull();
    by('answer-button');
  });

  it('keeps what is typed out of the number field while it is asked about', async () => {
    await opened.open(ACCOUNT);
    asks();
    await call(NUMBER);
    await fireEvent.keyDown(by('ask-cancel'), { key: '7' });
    expect((by('number-input') as HTMLInputElement).value).toBe('+331 990 012 34');
  });
});

describe('an address', () => {
  it.each([
    ['client:agent_2', 'client:agent_2'],
    [' SIP:desk@example.com', 'sip:desk@example.com'],
  ])('%s is called as it is', async (typed, to) => {
    await opened.open(ACCOUNT);
    await fill('number-input', typed);
    await opened.settled();
    by('address');
    expect((by('number-input') as HTMLInputElement).value).toBe(typed);
    await click('call-button');
    expect(placed()[0]?.To).toBe(to);
  });

  it('says how one is written while it is incomplete', async () => {
    await opened.open(ACCOUNT);
    await fill('number-input', 'clie');
    await opened.settled();
    expect(by('call-button').title).toMatch(/client: and a name/);
  });

  it('is called again by an empty Enter', async () => {
    await opened.open(ACCOUNT);
    await call('client:agent_2');
    opened.line.last.happens({ type: 'ended' });
    opened.dialer.dismissEnding();
    await opened.settled();
    await click('call-button');
    expect(placed()[1]?.To).toBe('client:agent_2');
  });
});

describe('the caller id', () => {
  const two = {
    agent: {
      ...SNAPSHOT.agent,
      caller_ids: [
        { number: '+442079460018', formatted: '+44 20 7946 0018' },
        { number: '+12025550143', formatted: '+1 202-555-0143' },
      ],
    },
  };

  it('is not a choice where there is one', async () => {
    await opened.open(ACCOUNT);
    expect(screen.queryByTestId('call-from')).toBeNull();
  });

  it('is the account’s, until another is chosen', async () => {
    await opened.open(ACCOUNT, two);
    const select = screen.getByLabelText<HTMLSelectElement>('Call from');
    expect(select.value).toBe('+442079460018');
    await fireEvent.change(select, { target: { value: '+12025550143' } });
    await call(NUMBER);
    expect(sent('prepare_call')).toMatchObject([{ caller_id: '+12025550143' }]);
  });

  it('that is gone from the account is the account’s own again', async () => {
    await opened.open(ACCOUNT, two);
    await fireEvent.change(by('call-from'), { target: { value: '+12025550143' } });
    opened.program.event({ event: 'agent_changed', data: SNAPSHOT.agent });
    await opened.settled();
    await call(NUMBER);
    expect(sent('prepare_call')).toMatchObject([{ caller_id: '+442079460018' }]);
  });
});

describe('the queue', () => {
  const waiting = () => [
    { peer: '+12025550107', formatted: '+1 202-555-0107', since_ms: opened.clock.now() - 65_000 },
  ];

  it('shows who waits and for how long, and is told without the time', async () => {
    await opened.open(ACCOUNT, { queue: { waiting: waiting() } });
    expect(by('queue-card').textContent).toMatch(/202-555-0107.*waits 1:05/);
    expect(by('queue-told').textContent).toBe('+1 202-555-0107 is waiting in the queue.');
    expect(by('queue-told').getAttribute('aria-live')).toBe('polite');
    opened.clock.pass(3_000);
    await opened.settled();
    expect(by('queue-card').textContent).toMatch(/waits 1:08/);
    expect(by('queue-told').textContent).not.toMatch(/1:08/);
  });

  it('is no card while nobody waits, and rests the clock', async () => {
    await opened.open(ACCOUNT, { queue: { waiting: waiting() } });
    opened.program.event({ event: 'queue_changed', data: { waiting: [] } });
    await opened.settled();
    expect(screen.queryByTestId('queue-card')).toBeNull();
    expect(by('queue-told').textContent).toMatch(/Nobody is waiting any more/);
    expect(opened.clock.waiting).toBe(0);
  });

  it('gives up the caller who has waited longest', async () => {
    await opened.open(ACCOUNT, { queue: { waiting: waiting() } });
    await click('take-next');
    expect(sent('prepare_call')).toMatchObject([{ to: 'queue:' }]);
    expect(placed()[0]?.To).toBe('queue:');
    await opened.settled();
    expect(by('call-peer').textContent).toBe('Next caller');
    opened.line.last.happens({ type: 'ended' });
    opened.dialer.dismissEnding();
    await opened.settled();
    expect(opened.dialer.lastNumber).toBeNull();
  });

  it('does not fill the number field when that fails', async () => {
    await opened.open(ACCOUNT, { queue: { waiting: waiting() } });
    opened.program.answers.prepare_call = () => refusal('Nobody is waiting.', 'CallRefused');
    await click('take-next');
    expect(by('call-refused').textContent).toBe('Nobody is waiting.');
    expect((by('number-input') as HTMLInputElement).value).toBe('');
  });

  it('counts those who do not fit', async () => {
    const many = [1, 2, 3, 4, 5].map((n) => ({
      peer: `+1202555010${n}`,
      formatted: `+1 202-555-010${n}`,
      since_ms: opened.clock.now(),
    }));
    await opened.open(ACCOUNT, { queue: { waiting: many } });
    expect(screen.getAllByTestId('waiting')).toHaveLength(3);
    expect(by('queue-card').textContent).toMatch(/and 2 more/);
    expect(by('queue-told').textContent).toBe('5 callers are waiting in the queue.');
  });
});

describe('do not disturb', () => {
  it('says what callers get, and leads to the rule', async () => {
    await opened.open(ACCOUNT, { do_not_disturb: true });
    opened.dialer.setOverlay('lights');
    await opened.settled();
    expect(by('disturb-says').textContent).toMatch(/hears your greeting and can leave a message/);
    await click('disturb-rule');
    const field = by('case-do_not_disturb');
    expect(field.closest('[data-path]')?.contains(document.activeElement)).toBe(true);
  });

  it('is switched in the header and follows the program', async () => {
    await opened.open(ACCOUNT);
    expect(by('do-not-disturb').getAttribute('aria-pressed')).toBe('false');
    await click('do-not-disturb');
    expect(sent('set_do_not_disturb')).toEqual([{ on: true }]);
    expect(by('do-not-disturb').getAttribute('aria-pressed')).toBe('true');
    opened.program.event({ event: 'do_not_disturb_changed', data: false });
    await opened.settled();
    expect(by('do-not-disturb').getAttribute('aria-pressed')).toBe('false');
  });

  it('says why it could not be switched', async () => {
    await opened.open(ACCOUNT);
    opened.program.answers.set_do_not_disturb = () => refusal('The settings cannot be written.');
    await click('do-not-disturb');
    expect(by('hint').textContent).toMatch(/cannot be written/);
    expect(by('do-not-disturb').getAttribute('aria-pressed')).toBe('false');
  });
});
