import type { Draft } from '../account/draft';
import type { Changing } from '../account/phases';
import type {
  AccountStatus,
  CallerIdCheck,
  CredentialField,
  E164,
  Lights,
  NumberInspection,
  Repair,
  Undo,
} from '../host/bindings';
import type { PhoneState } from '../phone/state';

/** Which page a narrow window shows; a wide one shows the keypad beside one of the others. */
export type Page = 'keypad' | 'recents' | 'account';

/** What may lie over the page. */
export type Overlay = 'keys' | 'lights' | null;

/** What decides whether an action can be done now. */
export interface ActionState {
  readonly phone: PhoneState;
  readonly lights: Lights;
  /** The number field. */
  readonly text: string;
  /** What the program says about `text`; nothing while it is asked. */
  readonly inspection: NumberInspection | null;
  /** The number dialled last, for an empty field. */
  readonly lastNumber: E164 | null;
  /** The first practice number; nothing outside practice mode. */
  readonly practiceNumber: E164 | null;
  readonly overlay: Overlay;
  readonly keypadOpen: boolean;
  readonly hasOlderCalls: boolean;
  readonly page: Page;
  readonly account: AccountState;
}

/** What decides whether something can be done with the account. */
export interface AccountState {
  readonly status: AccountStatus | null;
  /** Fields that are being filled in, or are on their way: the program does not say yet that they are entered. */
  readonly entering: readonly CredentialField[];
  /** The caller id being verified, or verified last; nothing once the agent has put it aside. */
  readonly callerIdCheck: CallerIdCheck | null;
  /** What the program was asked to do and has not answered yet. */
  readonly doing: readonly AccountDoing[];
  /** The choices as they stand on the page; nothing while there are none. */
  readonly draft: Draft | null;
}

/** Things that are not asked for again while they are under way. */
export type AccountDoing =
  | 'check'
  | 'set_up'
  | 'verify'
  | 'repair'
  | 'try_again'
  | 'token'
  | 'vault'
  | 'disconnect'
  | 'import';

/** What actions are done with. The store implements it; tests implement it plainly. */
export interface App {
  readonly state: ActionState;

  /**
   * Calls `given`; without it the number in the field or, when that is empty, the last one. What is
   * typed from now on does not change whom it calls.
   */
  placeCall(given?: string): Promise<void>;
  answer(): void;
  decline(): void;
  hangUp(): void;
  setMuted(muted: boolean): void;
  /** Sends digits to the far end. */
  press(digits: string): void;
  /** Types into the number field. */
  type(text: string): void;
  erase(): void;
  /** Shows on the pad that a key was pressed elsewhere. */
  flash(key: string): void;
  practiceIncoming(from: E164): Promise<void>;
  show(page: Page): void;
  setKeypadOpen(open: boolean): void;
  setOverlay(overlay: Overlay): void;
  dismissEnding(): void;
  loadOlderCalls(): Promise<void>;
  /** Tells the agent, in passing, why something was not done. */
  hint(reason: string): void;
  /** Puts `text` where it can be pasted from. */
  copy(text: string): Promise<void>;
  readonly account: AccountApp;
}

/**
 * What is done with the account. What fails is told on the account page. A secret is handed to the
 * program and kept nowhere.
 */
export interface AccountApp {
  enter(field: CredentialField, text: string): Promise<void>;
  importEnv(text: string): Promise<void>;
  forget(): Promise<void>;
  check(): Promise<void>;
  setUp(): Promise<void>;
  tryAgain(): Promise<void>;
  verify(number: string): Promise<void>;
  /** Puts a verification aside that does not go on. */
  hideCheck(): void;
  /** Also goes to the part of the page where the agent has to do something. */
  repair(repair: Repair): Promise<void>;
  replaceToken(text: string): Promise<void>;
  useFile(passphrase: string): Promise<void>;
  unlock(passphrase: string | null): Promise<void>;
  previewDisconnect(): Promise<void>;
  cancelDisconnect(): void;
  disconnect(undo: Undo): Promise<void>;
  change(what: Changing): Promise<void>;
  /** Leaves the choices as they are in use. */
  keep(): Promise<void>;
  /** Makes everything again what it was before a change, or a disconnecting, that is under way. */
  goBack(): Promise<void>;
  /** Forgets an account that cannot be disconnected, and puts nothing back. */
  forgetAccount(): Promise<void>;
}
