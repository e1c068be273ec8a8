import type { ActionRequest, E164 } from '../host/bindings';
import { t, type PlainKey } from '../i18n';
import { addressOf, isAddress } from '../phone/destination';
import { isConnected, isLive } from '../phone/state';
import { accountActions, type AccountArguments } from './account';
import type { ActionState, App, Overlay, Page } from './app';
import { readyOut } from './ready';
import { rulesActions, type RulesArguments } from './rules';
import { tryingActions, type TryingArguments } from './trying';

/** What each action needs to know beside the state; this is also the closed list of actions. */
export interface ActionArguments extends AccountArguments, RulesArguments, TryingArguments {
  place_call: { number?: string };
  answer: object;
  decline: object;
  hang_up: object;
  toggle_mute: object;
  toggle_keypad: object;
  press_key: { key: string };
  send_digits: { digits: string };
  erase: object;
  practice_incoming: { from?: E164 };
  show_page: { page: Page };
  toggle_overlay: { overlay: Exclude<Overlay, null> };
  close: object;
  load_older_calls: object;
}

export type ActionId = keyof ActionArguments;

/** Who asked: a button of the page, the keyboard, or the program (tray, command line, self-test). */
export type Source = 'button' | 'keyboard' | 'host';

/** One thing the agent can do, however it is asked for. */
type Action<Id extends ActionId> = ActionOf<ActionArguments[Id]>;

/** An action by what it needs to know. */
export interface ActionOf<Arguments> {
  label: PlainKey;
  /** Keys that mean it and that the list of keys shows; `mod` is Ctrl, on a Mac Command. */
  keys: readonly string[];
  /**
   * The second click of a double click does not count: by then another button may stand where the
   * first one was, and it would end or place a call.
   */
  deliberate?: true;
  /** True, or the sentence that says why not now. */
  enabled: (state: ActionState, args: Arguments) => true | string;
  perform: (app: App, args: Arguments, source: Source) => void | Promise<void>;
}

const noCall = (state: ActionState): true | string => isLive(state.phone) || t('why.noCall');

const incoming = ({ phone }: ActionState): true | string => {
  if (phone.name !== 'incoming') return t('why.notRinging');
  return phone.call.answering ? t('why.answering') : true;
};

function callable(state: ActionState, { number }: { number?: string }): true | string {
  const possible = readyOut(state);
  if (possible !== true) return possible;
  // A given number is read when it is dialled.
  if (number !== undefined) return number !== '' || t('why.noDialable');
  if (state.text.trim() === '') return state.lastNumber !== null || t('why.noNumber');
  if (isAddress(state.text)) return addressOf(state.text) !== null || t('why.address');
  // Not read yet: pressing Enter right after the last digit must not be refused.
  if (!state.inspection || state.inspection.e164 !== null) return true;
  // An emergency number is never refused silently: the program says what to do instead.
  if (state.inspection.emergency !== null) return true;
  return state.inspection.problem ?? t('why.noNumber');
}

/** Everything the agent can do. Buttons, keys and the program all go through this table. */
export const actions: { readonly [Id in ActionId]: Action<Id> } = {
  place_call: {
    label: 'action.call',
    keys: ['enter'],
    deliberate: true,
    enabled: callable,
    perform: (app, { number }) => app.placeCall(number),
  },
  answer: {
    label: 'action.answer',
    keys: ['mod+shift+a'],
    deliberate: true,
    enabled: incoming,
    perform: (app) => app.answer(),
  },
  decline: {
    label: 'action.decline',
    keys: ['mod+shift+d'],
    deliberate: true,
    enabled: incoming,
    perform: (app) => app.decline(),
  },
  hang_up: {
    label: 'action.hangUp',
    keys: ['mod+shift+e'],
    deliberate: true,
    enabled: noCall,
    // Ending a call that still rings means declining it.
    perform: (app) => (incoming(app.state) === true ? app.decline() : app.hangUp()),
  },
  toggle_mute: {
    label: 'action.mute',
    keys: ['mod+shift+m'],
    enabled: ({ phone }) => {
      if (!isLive(phone)) return t('why.noCall');
      return phone.name !== 'incoming' || t('why.notConnected');
    },
    perform: (app) => {
      const { phone } = app.state;
      if (isLive(phone)) app.setMuted(!phone.call.muted);
    },
  },
  toggle_keypad: {
    label: 'action.keypad',
    keys: ['mod+shift+k'],
    enabled: ({ phone }) => isConnected(phone) || t('why.notConnected'),
    perform: (app) => app.setKeypadOpen(!app.state.keypadOpen),
  },
  press_key: {
    label: 'action.press',
    keys: [],
    enabled: ({ phone }, { key }) => {
      if (!isLive(phone)) return true;
      return (isConnected(phone) && /^[0-9*#]$/.test(key)) || t('why.notConnected');
    },
    perform: (app, { key }, source) => {
      if (source !== 'button') app.flash(key);
      if (isConnected(app.state.phone)) app.press(key);
      else app.type(key);
    },
  },
  send_digits: {
    label: 'action.sendDigits',
    keys: [],
    enabled: ({ phone }, { digits }) =>
      (isConnected(phone) && /^[0-9*#]+$/.test(digits)) || t('why.notConnected'),
    perform: (app, { digits }) => app.press(digits),
  },
  erase: {
    label: 'action.erase',
    keys: ['backspace'],
    enabled: (state) => state.text !== '' || t('why.noNumber'),
    perform: (app) => app.erase(),
  },
  practice_incoming: {
    label: 'action.practiceIncoming',
    keys: [],
    enabled: (state) => {
      if (state.practiceNumber === null) return t('why.notPractice');
      if (isLive(state.phone)) return t('why.inCall');
      const { calls_in } = state.lights;
      return calls_in.state === 'ready' || (calls_in.reason ?? t('why.notReadyIn'));
    },
    perform: async (app, { from }) => {
      const caller = from ?? app.state.practiceNumber;
      if (caller !== null) await app.practiceIncoming(caller);
    },
  },
  show_page: {
    label: 'action.showPage',
    keys: [],
    enabled: () => true,
    perform: (app, { page }) => app.show(page),
  },
  toggle_overlay: {
    label: 'action.keys',
    keys: ['?'],
    enabled: () => true,
    perform: (app, { overlay }) => app.setOverlay(app.state.overlay === overlay ? null : overlay),
  },
  close: {
    label: 'action.close',
    keys: ['escape'],
    enabled: () => true,
    perform: (app) => {
      const { asking, overlay, keypadOpen, phone } = app.state;
      if (asking) app.dismissQuestion();
      else if (overlay) app.setOverlay(null);
      else if (phone.name === 'ended') app.dismissEnding();
      else if (keypadOpen) app.setKeypadOpen(false);
    },
  },
  load_older_calls: {
    label: 'action.loadMore',
    keys: [],
    enabled: (state) => state.hasOlderCalls || t('why.nothingOlder'),
    perform: (app) => app.loadOlderCalls(),
  },
  ...accountActions,
  ...rulesActions,
  ...tryingActions,
};

/** Whether `id` can be done now: true, or the sentence that says why not. */
export function enabled<Id extends ActionId>(
  id: Id,
  state: ActionState,
  args: ActionArguments[Id],
): true | string {
  const action: Action<Id> = actions[id];
  return action.enabled(state, args);
}

/** Does `id` if it can be done now; otherwise the agent reads why not. */
export async function run<Id extends ActionId>(
  app: App,
  id: Id,
  args: ActionArguments[Id],
  source: Source,
): Promise<void> {
  const action: Action<Id> = actions[id];
  const possible = action.enabled(app.state, args);
  if (possible !== true) {
    app.hint(possible);
    return;
  }
  await action.perform(app, args, source);
}

/** Does what was asked for outside the window, exactly as a button would. */
export function runRequest(app: App, request: ActionRequest): Promise<void> {
  switch (request.action) {
    case 'dial':
      return run(app, 'place_call', { number: request.number }, 'host');
    case 'answer':
      return run(app, 'answer', {}, 'host');
    case 'decline':
      return run(app, 'decline', {}, 'host');
    case 'hang_up':
      return run(app, 'hang_up', {}, 'host');
    case 'toggle_mute':
      return run(app, 'toggle_mute', {}, 'host');
    case 'send_digits':
      return run(app, 'send_digits', { digits: request.digits }, 'host');
  }
}
