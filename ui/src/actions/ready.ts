import { t } from '../i18n';
import { isLive } from '../phone/state';
import type { ActionState } from './app';

/** Whether any call can be placed now. */
export function readyOut(state: ActionState): true | string {
  if (isLive(state.phone)) return t('why.inCall');
  if (state.placing) return t('why.placing');
  const { calls_out } = state.lights;
  return calls_out.state === 'ready' || (calls_out.reason ?? t('why.notReadyOut'));
}
