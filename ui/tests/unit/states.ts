import type { ActionState } from '../../src/actions/app';

/** What an action sees of rules, queue and recordings that stand in its way in no manner. */
export const REST: Pick<
  ActionState,
  'rules' | 'placing' | 'waiting' | 'doNotDisturb' | 'recordings' | 'asking'
> = {
  rules: {
    draft: null,
    changed: false,
    canUndo: false,
    problems: [],
    doing: [],
    fallback: null,
    trial: { playing: false },
    greeting: { stage: 'closed' },
  },
  placing: false,
  waiting: false,
  doNotDisturb: false,
  recordings: [],
  asking: false,
};
