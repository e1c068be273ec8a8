import type { Exception, Hours, LocalDate, LocalMoment, Span } from '../host/bindings';

/** Minutes of a whole day. */
export const DAY = 1_440;

/** What a day is given when it is opened. */
export const OFFICE: Span = { from: 9 * 60, to: 17 * 60 };

/** Monday to Friday, nine to five. */
export function officeHours(): Hours {
  const open = (): Span[] => [{ ...OFFICE }];
  return { zone: null, week: [open(), open(), open(), open(), open(), [], []], exceptions: [] };
}

/** `09:00`; the end of the day is `24:00`. */
export function clockTime(minute: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/**
 * Reads a time of the day as people write it: `9`, `9:30`, `0930`, `17.30`, `5 pm`. Minutes since
 * midnight, 0 to 1440; nothing for what is no time.
 */
export function readTime(text: string): number | null {
  const found = /^\s*(\d{1,2})(?:[:.h]?\s*(\d{2}))?\s*(?:h|([ap])\.?m\.?)?\s*$/i.exec(text);
  if (!found) return null;
  let hours = Number(found[1]);
  const minutes = Number(found[2] ?? 0);
  const half = found[3]?.toLowerCase();
  if (half && (hours < 1 || hours > 12)) return null;
  if (half) hours = (hours % 12) + (half === 'p' ? 12 : 0);
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= DAY ? minute : null;
}

/** The span with another beginning; a day begins at 0:00 and not at 24:00. */
export function from(span: Span, minute: number): Span {
  return { ...span, from: minute % DAY };
}

/** The span with another end; a day ends at 24:00 and not at 0:00. */
export function to(span: Span, minute: number): Span {
  return { ...span, to: minute === 0 ? DAY : minute };
}

/** Whether the span goes on past midnight. */
export function isOvernight(span: Span): boolean {
  return span.to <= span.from;
}

/** One more span for the day: office hours for a closed one, otherwise an hour in what is left of it. */
export function withSpan(spans: readonly Span[]): Span[] {
  const last = spans.at(-1);
  if (!last) return [{ ...OFFICE }];
  const start = isOvernight(last) ? 0 : Math.min(last.to + 60, DAY - 60);
  return [...spans, { from: start, to: Math.min(start + 60, DAY) }];
}

/** The pieces of one day that are open, in minutes, with what comes over from the day before. */
export function pieces(spans: readonly Span[], before: readonly Span[]): Span[] {
  const today = spans.map((span) => (isOvernight(span) ? { from: span.from, to: DAY } : span));
  const over = before.filter(isOvernight).map(({ to }) => ({ from: 0, to }));
  return [...over, ...today].filter((span) => span.to > span.from);
}

/** The week with `day` (0 Monday) changed. */
export function withDay(hours: Hours, day: number, spans: readonly Span[]): Hours {
  const week = hours.week.map((each, at) => (at === day ? [...spans] : each)) as Hours['week'];
  return { ...hours, week };
}

/** Monday's hours on the other weekdays, or on every day. */
export function copyMonday(hours: Hours, whole: boolean): Hours {
  const [monday] = hours.week;
  const week = hours.week.map((spans, day) =>
    whole || day < 5 ? monday.map((span) => ({ ...span })) : spans,
  ) as Hours['week'];
  return { ...hours, week };
}

/** The days that are not like their weekday, the earliest first. */
export function withExceptions(hours: Hours, exceptions: readonly Exception[]): Hours {
  const sorted = exceptions.toSorted((a, b) => isoDate(a.date).localeCompare(isoDate(b.date)));
  return { ...hours, exceptions: sorted };
}

/** `2026-12-25`. */
export function isoDate({ year, month, day }: LocalDate): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** Reads `2026-12-25`; nothing for a day that there is not. */
export function readDate(text: string): LocalDate | null {
  const found = /^\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*$/.exec(text);
  if (!found) return null;
  const [year = 0, month = 0, day = 0] = found.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? { year, month, day }
    : null;
}

/** 0 Monday to 6 Sunday. */
export function weekdayOf({ year, month, day }: LocalDate): number {
  return (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
}

/** What the wall clock of this computer says `now`, in Unix milliseconds. */
export function localMoment(now: number): LocalMoment {
  const at = new Date(now);
  const date = { year: at.getFullYear(), month: at.getMonth() + 1, day: at.getDate() };
  return { date, weekday: weekdayOf(date), minute: at.getHours() * 60 + at.getMinutes() };
}
