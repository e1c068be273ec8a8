import type { PreviewScript } from '../host/bindings';
import { t } from '../i18n';
import { isLive } from '../phone/state';
import type { ActionOf } from './actions';
import type { ActionState } from './app';

/** What playing the rules and speaking a greeting need to know. */
export interface TryingArguments {
  preview_incoming: { script: PreviewScript; problem?: boolean };
  stop_preview: object;
  press_in_preview: { key: string };
  record_greeting: object;
  stop_greeting: object;
}

const playing = ({ rules }: ActionState): true | string =>
  rules.trial.playing || t('why.notPlaying');

/** The first that is not true, or true. */
function all(...conditions: readonly (true | string)[]): true | string {
  return conditions.find((condition) => condition !== true) ?? true;
}

export const tryingActions: {
  readonly [Id in keyof TryingArguments]: ActionOf<TryingArguments[Id]>;
} = {
  preview_incoming: {
    label: 'action.preview',
    keys: [],
    enabled: ({ rules }, { problem = false }) =>
      all(
        rules.draft !== null || t('why.rulesUnknown'),
        rules.problems.length === 0 || t('why.rulesWrong'),
        !problem || t('why.previewTime'),
        !rules.trial.playing || t('why.beingDone'),
      ),
    perform: (app, { script }) => app.rules.play(script),
  },
  stop_preview: {
    label: 'action.stopPreview',
    keys: [],
    enabled: playing,
    perform: (app) => app.rules.trial.stop(),
  },
  press_in_preview: {
    label: 'action.pressInPreview',
    keys: [],
    enabled: playing,
    perform: (app, { key }) => app.rules.trial.press(key),
  },
  record_greeting: {
    label: 'action.recordGreeting',
    keys: [],
    enabled: ({ phone, rules }) =>
      all(
        !isLive(phone) || t('why.greetingCall'),
        rules.greeting.stage !== 'recording' || t('why.beingDone'),
      ),
    perform: (app) => app.rules.greeting.record(),
  },
  stop_greeting: {
    label: 'action.stopGreeting',
    keys: [],
    enabled: ({ rules }) => rules.greeting.stage === 'recording' || t('why.notRecording'),
    perform: (app) => app.rules.greeting.finish(),
  },
};
