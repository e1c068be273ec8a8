import type { AccountStatus, CredentialField, CredentialView, Repair } from '../host/bindings';

/** What the account page shows. */
export type Shown =
  'entry' | 'locked' | 'checking' | 'choosing' | 'setting_up' | 'connected' | 'disconnecting';

/** What the agent came to change. */
export type Changing = 'numbers' | 'tunnel' | null;

/** A part of the page that the agent is taken to. */
export type Place = 'numbers' | 'tunnel' | 'token' | 'vault' | 'steps';

/** What is shown in which phase. `changing` is a wish of this page: the program need not know of it. */
export function shownIn(status: AccountStatus, changing: Changing): Shown {
  const choosable = status.inventory !== null && status.choices !== null;
  switch (status.phase) {
    case 'none':
      return 'entry';
    case 'locked':
    case 'checking':
    case 'disconnecting':
      return status.phase;
    case 'choosing':
      if (status.connected && !changing) return 'connected';
      return choosable ? 'choosing' : 'checking';
    case 'setting_up':
      return changing && choosable && hasFailed(status) ? 'choosing' : 'setting_up';
    case 'connected':
      if (!changing) return 'connected';
      return choosable ? 'choosing' : 'checking';
  }
}

/** Whether the steps stand still because one of them failed. */
export function hasFailed({ steps }: AccountStatus): boolean {
  return (
    steps.some(({ state }) => state === 'failed') && steps.every(({ state }) => state !== 'running')
  );
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
