import type { CallStats, Trouble } from './line';

/** 3 is good, 1 is poor. */
export type Grade = 1 | 2 | 3;

/** Below this mean opinion score speech is tiring to follow; the SDK warns below 3. */
const FAIR_MOS = 3.7;
const POOR_MOS = 3.1;

/** Troubles of the agent's own microphone say nothing about the connection. */
const OF_THE_CONNECTION: ReadonlySet<Trouble> = new Set<Trouble>([
  'connection_lost',
  'high_delay',
  'high_jitter',
  'high_loss',
  'low_quality',
  'nothing_heard',
  'nothing_sent',
]);

/** How good the connection of a call is; nothing while it was not measured. */
export function gradeOf(troubles: readonly Trouble[], stats: CallStats | null): Grade | null {
  if (troubles.some((trouble) => OF_THE_CONNECTION.has(trouble))) return 1;
  const mos = stats?.mos ?? null;
  if (mos === null) return null;
  if (mos < POOR_MOS) return 1;
  return mos < FAIR_MOS ? 2 : 3;
}
