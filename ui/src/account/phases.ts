import type {
  AccountStatus,
  CallerIdCheck,
  CredentialField,
  CredentialView,
  Repair,
} from '../host/bindings';

/** What the account page shows. */
export type Shown =
  'entry' | 'locked' | 'checking' | 'choosing' | 'setting_up' | 'connected' | 'disconnecting';

/** What the agent came to change. */
export type Changing = 'numbers' | 'tunnel';

/** A part of the page that the agent is taken to. */
export type Place = Changing | 'token' | 'vault';

/**
 * What is shown in which phase. `again`: after a set-up that failed the agent chooses anew, of which
 * the program learns when the choices are made.
 */
export function shownIn(status: AccountStatus, again: boolean): Shown {
  const choosable = status.inventory !== null && status.choices !== null;
  switch (status.phase) {
    case 'none':
      return 'entry';
    case 'locked':
    case 'checking':
    case 'connected':
    case 'disconnecting':
      return status.phase;
    case 'choosing':
      return choosable ? 'choosing' : 'checking';
    case 'setting_up':
      return again && choosable ? 'choosing' : 'setting_up';
  }
}

/** Whether the verification of a caller id goes on. */
export function isRunning({ state }: CallerIdCheck): boolean {
  return state === 'asking' || state === 'calling';
}

export function credential(status: AccountStatus | null, field: CredentialField): CredentialView {
  return (
    status?.credentials.find((view) => view.field === field) ?? {
      field,
      value: null,
      entered: false,
      problem: null,
    }
  );
}

/** Whether the place is among the choices, which Twilio is asked for first. */
export function isChoice(place: Place | null): place is Changing {
  return place === 'numbers' || place === 'tunnel';
}

/** The page's part that helps with `repair`; nothing where the program helps itself. */
export function placeOf(repair: Repair): Place | null {
  switch (repair) {
    case 'restart_tunnel':
    case 'run_set_up':
      return null;
    case 'change_tunnel':
      return 'tunnel';
    case 'choose_numbers':
      return 'numbers';
    case 'enter_auth_token':
      return 'token';
    case 'unlock_vault':
      return 'vault';
  }
}
