import { describe, expect, it } from 'vitest';
import type { Rules, Span } from '../../src/host/bindings';
import { everyAnswer, isUsed, newPage } from '../../src/rules/answers';
import {
  clockTime,
  copyMonday,
  from,
  isOvernight,
  isoDate,
  localMoment,
  officeHours,
  pieces,
  readDate,
  readTime,
  to,
  weekdayOf,
  withDay,
  withExceptions,
  withSpan,
} from '../../src/rules/hours';
import { LANGUAGES, languageName } from '../../src/rules/languages';
import {
  addChoice,
  choicesOf,
  countPages,
  freeKeys,
  MENU_KEYS,
  moveChoice,
  neighbour,
  removeChoice,
} from '../../src/rules/menu';
import { fieldOf, formProblems, pageOf, problemAt } from '../../src/rules/problems';
import { moneyWords } from '../../src/views/money';
import { BUSY_OFFICE, DEFAULTS } from './rules';

const with_ = (change: Partial<Rules['incoming']>): Rules => ({
  ...DEFAULTS,
  incoming: { ...DEFAULTS.incoming, ...change },
});

describe('a time of the day', () => {
  it.each([
    ['9', 540],
    ['9:30', 570],
    ['09:30', 570],
    ['0930', 570],
    ['17.30', 1050],
    ['17h30', 1050],
    ['5 pm', 1020],
    ['12 am', 0],
    ['12:15 p.m.', 735],
    ['24:00', 1440],
    ['0', 0],
  ])('is read from %s', (text, minute) => {
    expect(readTime(text)).toBe(minute);
  });

  it.each(['', 'noon', '24:01', '9:60', '25', '13 pm', '0 am', '9:3', '-1'])(
    'is not read from “%s”',
    (text) => {
      expect(readTime(text)).toBeNull();
    },
  );

  it('is written so that it is read back', () => {
    for (let minute = 0; minute <= 1440; minute += 1) {
      expect(readTime(clockTime(minute))).toBe(minute);
    }
  });
});

describe('hours', () => {
  it('begin the day at 0:00 and end it at 24:00', () => {
    expect(from({ from: 60, to: 120 }, 1440)).toEqual({ from: 0, to: 120 });
    expect(to({ from: 60, to: 120 }, 0)).toEqual({ from: 60, to: 1440 });
    expect(isOvernight({ from: 1320, to: 120 })).toBe(true);
    expect(isOvernight({ from: 0, to: 1440 })).toBe(false);
  });

  it('are shown in pieces, with what comes over from the evening before', () => {
    const evening: Span[] = [{ from: 1320, to: 120 }];
    expect(pieces([{ from: 540, to: 600 }], evening)).toEqual([
      { from: 0, to: 120 },
      { from: 540, to: 600 },
    ]);
    expect(pieces(evening, [])).toEqual([{ from: 1320, to: 1440 }]);
  });

  it('grow by a span behind the last one', () => {
    expect(withSpan([])).toEqual([{ from: 540, to: 1020 }]);
    expect(withSpan([{ from: 540, to: 720 }]).at(-1)).toEqual({ from: 780, to: 840 });
    expect(withSpan([{ from: 540, to: 1440 }]).at(-1)).toEqual({ from: 1380, to: 1440 });
  });

  it('of Monday are copied, and do not change with it afterwards', () => {
    const hours = withDay(officeHours(), 0, [{ from: 480, to: 600 }]);
    const weekdays = copyMonday(hours, false);
    expect(weekdays.week.map(([span]) => span?.from)).toEqual([
      480,
      480,
      480,
      480,
      480,
      undefined,
      undefined,
    ]);
    expect(copyMonday(hours, true).week.map(([span]) => span?.from)).toEqual(Array(7).fill(480));
    expect(weekdays.week[1][0]).not.toBe(weekdays.week[0][0]);
    expect(hours.week[1]).toEqual([{ from: 540, to: 1020 }]);
  });

  it('have their exceptions in order', () => {
    const day = (year: number, month: number, day: number) => ({
      date: { year, month, day },
      label: '',
      spans: [],
    });
    const sorted = withExceptions(officeHours(), [day(2027, 1, 1), day(2026, 12, 25)]);
    expect(sorted.exceptions.map(({ date }) => isoDate(date))).toEqual([
      '2026-12-25',
      '2027-01-01',
    ]);
  });
});

describe('a date', () => {
  it('is read if there is such a day', () => {
    expect(readDate(' 2028-02-29 ')).toEqual({ year: 2028, month: 2, day: 29 });
    for (const text of ['2026-02-29', '2026-13-01', '2026-00-10', '25.12.2026', '']) {
      expect(readDate(text), text).toBeNull();
    }
  });

  it('has a weekday, Monday first', () => {
    expect(weekdayOf({ year: 2026, month: 11, day: 23 })).toBe(0);
    expect(weekdayOf({ year: 2026, month: 11, day: 29 })).toBe(6);
    const moment = localMoment(new Date(2026, 10, 24, 9, 5).getTime());
    expect(moment).toEqual({ date: { year: 2026, month: 11, day: 24 }, weekday: 1, minute: 545 });
  });
});

describe('a menu', () => {
  const { menu } = DEFAULTS.incoming;
  const labels = (page: typeof menu) =>
    choicesOf(page).map(([key, { label }]) => `${key} ${label}`);

  it('has its keys in the order of the telephone, 0 last', () => {
    let page = newPage('', '');
    for (let more = 0; more < 20; more += 1) page = addChoice(page);
    expect(choicesOf(page).map(([key]) => key)).toEqual(MENU_KEYS);
    expect(freeKeys(page)).toEqual([]);
  });

  it('moves what a key does to another, or to and fro with a neighbour', () => {
    expect(labels(moveChoice(menu, '1', '9'))).toEqual([
      '2 Leave a message',
      '9 Speak to somebody',
    ]);
    expect(neighbour(menu, '1', 1)).toBe('2');
    expect(neighbour(menu, '1', -1)).toBeNull();
    expect(labels(moveChoice(menu, '1', '2'))).toEqual([
      '1 Leave a message',
      '2 Speak to somebody',
    ]);
    expect(labels(removeChoice(menu, '1'))).toEqual(['2 Leave a message']);
  });

  it('counts the pages within it', () => {
    expect(countPages(menu)).toBe(1);
    expect(countPages(BUSY_OFFICE.incoming.menu)).toBe(2);
  });
});

describe('the menu and the queue', () => {
  it('are used where something leads there', () => {
    expect(isUsed(DEFAULTS.incoming, 'menu')).toBe(false);
    expect(isUsed(with_({ open: { type: 'menu' } }).incoming, 'menu')).toBe(true);
    expect(isUsed(with_({ busy: { type: 'queue' } }).incoming, 'queue')).toBe(true);
  });

  it('are not used by what no caller comes to', () => {
    const closed = with_({ closed: { type: 'menu' } }).incoming;
    expect(isUsed(closed, 'menu')).toBe(false);
    expect(isUsed({ ...closed, hours: officeHours() }, 'menu')).toBe(true);
    const unreached = with_({
      menu: { ...newPage('', ''), otherwise: { type: 'queue' } },
    }).incoming;
    expect(isUsed(unreached, 'queue')).toBe(false);
    expect(isUsed({ ...unreached, open: { type: 'menu' } }, 'queue')).toBe(true);
  });

  it('are among all answers, with their place', () => {
    const places = everyAnswer(BUSY_OFFICE.incoming).map(([path]) => path);
    expect(places).toContain('menu.choices.1.then.page.choices.2.then.answer');
    expect(places).toContain('menu.choices.1.then.page.otherwise');
    expect(new Set(places).size).toBe(places.length);
  });
});

describe('problems', () => {
  it('have their page and their field', () => {
    const problem = { path: 'incoming.menu.choices.1.then.page.prompt', message: 'Too long.' };
    expect(fieldOf(problem)).toBe('menu.choices.1.then.page.prompt');
    expect(pageOf(problem)).toBe('incoming');
    expect(pageOf({ path: 'outgoing.most_calls', message: '' })).toBe('calls');
    expect(pageOf({ path: 'most_calls', message: '' })).toBe('calls');
    expect(pageOf({ path: 'ring_s', message: '' })).toBe('incoming');
    expect(problemAt([problem], 'menu')).toBeNull();
    expect(problemAt([problem], 'menu', true)).toBe('Too long.');
    expect(problemAt([problem], 'men', true)).toBeNull();
    expect(problemAt([problem], 'menu.choices.1.then.page.prompt')).toBe('Too long.');
  });

  it('of form are what the program could not even read', () => {
    expect(formProblems(DEFAULTS)).toEqual([]);
    expect(formProblems(BUSY_OFFICE)).toEqual([]);
    const paths = (rules: Rules) => formProblems(rules).map(({ path }) => path);
    expect(paths(with_({ busy: { type: 'forward', to: '' } }))).toEqual(['incoming.busy.to']);
    expect(paths(with_({ busy: { type: 'forward', to: '0207' } }))).toEqual(['incoming.busy.to']);
    expect(paths(with_({ ring_s: NaN }))).toEqual(['incoming.ring_s']);
    const { queue, voicemail } = DEFAULTS.incoming;
    expect(paths(with_({ queue: { ...queue, music: { type: 'recording', sound: '' } } }))).toEqual([
      'incoming.queue.music',
    ]);
    expect(
      paths(with_({ voicemail: { ...voicemail, greeting: { type: 'play', sound: '' } } })),
    ).toEqual(['incoming.voicemail.greeting']);
    expect(
      paths({ ...DEFAULTS, outgoing: { ...DEFAULTS.outgoing, minutes_per_day: NaN } }),
    ).toEqual(['outgoing.minutes_per_day']);
  });
});

describe('words', () => {
  it('name every language that can be chosen', () => {
    const names = LANGUAGES.map(languageName);
    expect(new Set(names).size).toBe(LANGUAGES.length);
    expect(languageName('en-GB')).toBe('English (United Kingdom)');
  });

  it('name amounts of money, small ones with all their digits', () => {
    expect(moneyWords({ micros: 14_000, currency: 'USD' })).toMatch(/0\.014/);
    expect(moneyWords({ micros: 2_500_000, currency: 'USD' })).toMatch(/2\.50$/);
    expect(moneyWords({ micros: 1_000_000, currency: '?' })).toBe('1.00 ?');
  });
});
