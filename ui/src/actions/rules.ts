import type { CallId, RecordingSid, SoundName } from '../host/bindings';
import { t } from '../i18n';
import { isLive } from '../phone/state';
import type { ActionOf } from './actions';
import type { ActionState, RulesDoing } from './app';
import { readyOut } from './ready';

/** What the actions of the rules, and of what comes of them, need to know. */
export interface RulesArguments {
  save_rules: object;
  discard_rules: object;
  undo_edit: object;
  delete_sound: { name: SoundName };
  save_fallback: { url: string };
  check_fallback: object;
  remove_fallback: object;
  set_do_not_disturb: { on: boolean };
  show_rule: { path: string };
  take_next: object;
  answer_question: { how: 'once' | 'always' };
  leave_rules: { how: 'save' | 'discard' };
  play_recording: { sid: RecordingSid };
  delete_recording: { call: CallId; sid: RecordingSid };
}

const free = ({ rules }: ActionState, doing: RulesDoing): true | string =>
  !rules.doing.includes(doing) || t('why.beingDone');

const changed = ({ rules }: ActionState): true | string => rules.changed || t('why.nothingChanged');

const right = ({ rules }: ActionState): true | string =>
  rules.problems.length === 0 || t('why.rulesWrong');

const loaded = ({ rules }: ActionState): true | string =>
  rules.draft !== null || t('why.rulesUnknown');

const hasFallback = ({ rules }: ActionState): true | string =>
  (rules.fallback?.url ?? null) !== null || t('why.fallbackMissing');

/** The first that is not true, or true. */
function all(...conditions: readonly (true | string)[]): true | string {
  return conditions.find((condition) => condition !== true) ?? true;
}

export const rulesActions: {
  readonly [Id in keyof RulesArguments]: ActionOf<RulesArguments[Id]>;
} = {
  save_rules: {
    label: 'action.saveRules',
    keys: [],
    enabled: (state) => all(loaded(state), changed(state), right(state), free(state, 'save')),
    perform: async (app) => {
      await app.rules.save();
    },
  },
  discard_rules: {
    label: 'action.discardRules',
    keys: [],
    enabled: (state) => all(changed(state), free(state, 'save')),
    perform: (app) => app.rules.discard(),
  },
  undo_edit: {
    label: 'action.undoEdit',
    keys: [],
    enabled: ({ rules }) => rules.canUndo || t('why.nothingChanged'),
    perform: (app) => app.rules.undo(),
  },
  delete_sound: {
    label: 'action.deleteSound',
    keys: [],
    deliberate: true,
    enabled: (state) => free(state, 'sound'),
    perform: (app, { name }) => app.rules.deleteSound(name),
  },
  save_fallback: {
    label: 'action.saveFallback',
    keys: [],
    enabled: (state, { url }) =>
      all(
        url.trim() !== '' || t('why.fallbackMissing'),
        url.trim() !== state.rules.fallback?.url || t('why.nothingChanged'),
        free(state, 'fallback'),
      ),
    perform: (app, { url }) => app.rules.setFallback(url.trim()),
  },
  check_fallback: {
    label: 'action.checkFallback',
    keys: [],
    enabled: (state) => all(hasFallback(state), free(state, 'fallback')),
    perform: (app) => app.rules.checkFallback(),
  },
  remove_fallback: {
    label: 'action.removeFallback',
    keys: [],
    deliberate: true,
    enabled: (state) => all(hasFallback(state), free(state, 'fallback')),
    perform: (app) => app.rules.setFallback(null),
  },
  set_do_not_disturb: {
    label: 'action.doNotDisturb',
    keys: [],
    enabled: () => true,
    perform: (app, { on }) => app.setDoNotDisturb(on),
  },
  show_rule: {
    label: 'action.showRule',
    keys: [],
    enabled: () => true,
    perform: (app, { path }) => app.showRule(path),
  },
  take_next: {
    label: 'action.takeNext',
    keys: ['mod+shift+l'],
    deliberate: true,
    enabled: (state) => all(state.waiting || t('why.nobodyWaits'), readyOut(state)),
    perform: (app) => app.takeNext(),
  },
  answer_question: {
    label: 'action.callOnce',
    keys: [],
    deliberate: true,
    enabled: ({ phone }) => !isLive(phone) || t('why.inCall'),
    perform: (app, { how }) => app.answerQuestion(how),
  },
  leave_rules: {
    label: 'action.discardRules',
    keys: [],
    deliberate: true,
    enabled: (state, { how }) => (how === 'save' ? all(right(state), free(state, 'save')) : true),
    perform: (app, { how }) => app.leave(how),
  },
  play_recording: {
    label: 'action.playRecording',
    keys: [],
    enabled: ({ recordings }, { sid }) => !recordings.includes(sid) || t('why.recordingComes'),
    perform: (app, { sid }) => app.playRecording(sid),
  },
  delete_recording: {
    label: 'action.deleteRecording',
    keys: [],
    deliberate: true,
    enabled: ({ recordings }, { sid }) => !recordings.includes(sid) || t('why.recordingComes'),
    perform: (app, { call, sid }) => app.deleteRecording(call, sid),
  },
};
