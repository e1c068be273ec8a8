import { credential, isRunning, type Changing } from '../account/phases';
import type { CredentialField, Repair, Undo } from '../host/bindings';
import { t } from '../i18n';
import { isLive } from '../phone/state';
import type { ActionOf } from './actions';
import type { AccountDoing, ActionState } from './app';

/** What the actions of the account need to know. */
export interface AccountArguments {
  enter_credential: { field: CredentialField; text: string };
  import_env: { text: string };
  forget_credentials: object;
  check_account: object;
  set_up: object;
  try_again: object;
  verify_caller_id: { number: string };
  hide_caller_id_check: object;
  repair: { repair: Repair };
  replace_auth_token: { text: string };
  use_shared_key: object;
  replace_shared_key: object;
  use_auth_token: object;
  use_encrypted_file: { passphrase: string };
  unlock_vault: { passphrase: string | null };
  preview_disconnect: object;
  cancel_disconnect: object;
  disconnect: { undo: Undo };
  change_account: { what: Changing };
  keep_account: object;
  go_back: object;
  forget_account: object;
  copy_text: { text: string };
}

/** The account carries the calls: it stays as it is while there is one. */
const noCall = ({ phone }: ActionState): true | string => !isLive(phone) || t('why.accountInCall');

/** Whether what would be tried again ends with another phone, and so would end a call. */
const endsCalls = ({ account: { status } }: ActionState): boolean =>
  status?.phase === 'setting_up' || status?.phase === 'disconnecting';

const free = (state: ActionState, ...doing: readonly AccountDoing[]): true | string =>
  !state.account.doing.some((each) => doing.includes(each)) || t('why.beingDone');

/** The first that is not true, or true. */
function all(...conditions: readonly (true | string)[]): true | string {
  return conditions.find((condition) => condition !== true) ?? true;
}

function bothEntered({ account }: ActionState): true | string {
  for (const field of ['account_sid', 'auth_token'] as const) {
    // On its way: pressing Connect right after the last paste must not be refused.
    if (account.entering.includes(field)) continue;
    const { entered, problem } = credential(account.status, field);
    if (problem !== null) return problem;
    if (!entered) return t('why.twoValues');
  }
  return true;
}

/** What is entered has to be kept somewhere. */
const keepable = ({ account: { status } }: ActionState): true | string =>
  status?.vault.ready !== false || t('why.noVault');

function somethingEntered({ account: { status } }: ActionState): boolean {
  if (!status) return false;
  return status.phase !== 'none' || status.credentials.some(({ entered }) => entered);
}

function settable({ account: { status, draft } }: ActionState): true | string {
  const inventory = status?.inventory;
  if (!inventory || !draft) return t('why.notLookedAt');
  if (inventory.standing !== 'active') return t('why.notActive');
  const numbers = inventory.numbers.length + inventory.verified.length;
  if (numbers === 0) return t('why.noNumbers');
  // Problems of single fields are shown beside them, and named, when it is tried.
  return true;
}

export const accountActions: {
  readonly [Id in keyof AccountArguments]: ActionOf<AccountArguments[Id]>;
} = {
  enter_credential: {
    label: 'action.enter',
    keys: [],
    enabled: () => true,
    perform: (app, { field, text }) => app.account.enter(field, text),
  },
  import_env: {
    label: 'action.importEnv',
    keys: [],
    enabled: (state) => free(state, 'import'),
    perform: (app, { text }) =>
      text.trim() === '' ? app.hint(t('why.nothingPasted')) : app.account.importEnv(text),
  },
  forget_credentials: {
    label: 'action.forget',
    keys: [],
    enabled: (state) => all(noCall(state), somethingEntered(state) || t('why.nothingEntered')),
    perform: (app) => app.account.forget(),
  },
  check_account: {
    label: 'action.connect',
    keys: [],
    deliberate: true,
    enabled: (state) =>
      all(noCall(state), keepable(state), bothEntered(state), free(state, 'check')),
    perform: (app) => app.account.check(),
  },
  set_up: {
    label: 'action.setUp',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), settable(state), free(state, 'set_up')),
    perform: (app) => app.account.setUp(),
  },
  try_again: {
    label: 'action.tryAgain',
    keys: [],
    deliberate: true,
    enabled: (state) => all(endsCalls(state) ? noCall(state) : true, free(state, 'try_again')),
    perform: (app) => app.account.tryAgain(),
  },
  verify_caller_id: {
    label: 'action.verify',
    keys: [],
    deliberate: true,
    enabled: (state) => {
      const { callerIdCheck: check } = state.account;
      return all(free(state, 'verify'), !(check && isRunning(check)) || t('why.verifying'));
    },
    perform: (app, { number }) => app.account.verify(number),
  },
  hide_caller_id_check: {
    label: 'action.cancel',
    keys: [],
    enabled: () => true,
    perform: (app) => app.account.hideCheck(),
  },
  repair: {
    label: 'action.repair',
    keys: [],
    deliberate: true,
    enabled: (state, { repair }) =>
      all(repair === 'run_set_up' ? noCall(state) : true, free(state, 'repair')),
    perform: (app, { repair }) => app.account.repair(repair),
  },
  replace_auth_token: {
    label: 'action.replaceToken',
    keys: [],
    enabled: (state) => all(noCall(state), free(state, 'token')),
    perform: (app, { text }) => app.account.replaceToken(text),
  },
  use_shared_key: {
    label: 'action.useSharedKey',
    keys: [],
    deliberate: true,
    enabled: (state) =>
      all(
        noCall(state),
        state.account.status?.signing?.offered !== false || t('why.notOffered'),
        free(state, 'signing'),
      ),
    perform: (app) => app.account.useSharedKey(true),
  },
  replace_shared_key: {
    label: 'action.replaceSharedKey',
    keys: [],
    deliberate: true,
    enabled: (state) => {
      const { signing } = state.account.status ?? {};
      return all(
        signing?.state === 'shared_key' || t('why.signingOff'),
        signing?.under_way === false || t('why.notSettled'),
        free(state, 'signing'),
      );
    },
    perform: (app) => app.account.replaceSharedKey(),
  },
  use_auth_token: {
    label: 'action.useAuthToken',
    keys: [],
    deliberate: true,
    enabled: (state) =>
      all(
        (state.account.status?.signing?.state ?? 'auth_token') !== 'auth_token' ||
          t('why.signingOff'),
        free(state, 'signing'),
      ),
    perform: (app) => app.account.useSharedKey(false),
  },
  use_encrypted_file: {
    label: 'action.useFile',
    keys: [],
    enabled: (state) => all(noCall(state), free(state, 'vault')),
    perform: (app, { passphrase }) => app.account.useFile(passphrase),
  },
  unlock_vault: {
    label: 'action.unlock',
    keys: [],
    enabled: (state) => free(state, 'vault'),
    perform: (app, { passphrase }) => app.account.unlock(passphrase),
  },
  preview_disconnect: {
    label: 'action.disconnect',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), free(state, 'disconnect')),
    perform: (app) => app.account.previewDisconnect(),
  },
  cancel_disconnect: {
    label: 'action.cancel',
    keys: [],
    enabled: () => true,
    perform: (app) => app.account.cancelDisconnect(),
  },
  disconnect: {
    label: 'action.confirmDisconnect',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), free(state, 'disconnect')),
    perform: (app, { undo }) => app.account.disconnect(undo),
  },
  change_account: {
    label: 'action.change',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), free(state, 'repair')),
    perform: (app, { what }) => app.account.change(what),
  },
  keep_account: {
    label: 'action.cancel',
    keys: [],
    enabled: () => true,
    perform: (app) => app.account.keep(),
  },
  go_back: {
    label: 'action.goBack',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), free(state, 'set_up', 'disconnect')),
    perform: (app) => app.account.goBack(),
  },
  forget_account: {
    label: 'action.forgetAccount',
    keys: [],
    deliberate: true,
    enabled: (state) => all(noCall(state), free(state, 'disconnect')),
    perform: (app) => app.account.forgetAccount(),
  },
  copy_text: {
    label: 'action.copy',
    keys: [],
    enabled: () => true,
    perform: (app, { text }) => app.copy(text),
  },
};
