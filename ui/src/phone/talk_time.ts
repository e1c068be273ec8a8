import type { PhoneState } from './state';

/** Seconds of conversation so far, or in all once the call is over; nothing before an answer. */
export function talkSeconds(state: PhoneState, now: number): number | null {
  if (state.name === 'idle' || state.call.answeredAt === null) return null;
  const until = state.name === 'ended' ? state.endedAt : now;
  return Math.max(0, Math.floor((until - state.call.answeredAt) / 1000));
}
