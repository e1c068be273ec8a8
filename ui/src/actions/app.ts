import type { Draft } from '../account/draft';
import type { Changing } from '../account/phases';
import type {
  AccountStatus,
  CallId,
  CallerIdCheck,
  CredentialField,
  E164,
  FallbackView,
  Lights,
  NumberInspection,
  PreviewScript,
  Problem,
  RecordingSid,
  Repair,
  Rules,
  SoundName,
  Undo,
} from '../host/bindings';
import type { PhoneState } from '../phone/state';

/** Which page a narrow window shows; a wide one shows the keypad beside one of the others. */
export type Page = 'keypad' | 'recents' | 'calls' | 'incoming' | 'account';

/** Whether the page is there to be filled in, so that what is typed is not for the phone. */
export function isForm(page: Page): boolean {
  return page === 'account' || page === 'calls' || page === 'incoming';
}

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
  readonly lastNumber: string | null;
  /** The first practice number; nothing outside practice mode. */
  readonly practiceNumber: E164 | null;
  readonly overlay: Overlay;
  readonly keypadOpen: boolean;
  readonly hasOlderCalls: boolean;
  readonly page: Page;
  readonly account: AccountState;
  readonly rules: RulesState;
  /** The program is asked whether a call may be placed. */
  readonly placing: boolean;
  /** Somebody waits in the queue. */
  readonly waiting: boolean;
  readonly doNotDisturb: boolean;
  /** Recordings of calls that are on their way, or being deleted. */
  readonly recordings: readonly RecordingSid[];
  /** Something is asked that has to be answered first. */
  readonly asking: boolean;
}

/** What decides whether something can be done with the rules of calls. */
export interface RulesState {
  /** The rules as they stand on the page; nothing while they are not known. */
  readonly draft: Rules | null;
  /** They are not what the program has. */
  readonly changed: boolean;
  readonly canUndo: boolean;
  readonly problems: readonly Problem[];
  readonly doing: readonly RulesDoing[];
  /** What answers in place of this computer; nothing while it is not known. */
  readonly fallback: FallbackView | null;
  /** A call that is played by them. */
  readonly trial: { readonly playing: boolean };
  /** A greeting that is spoken for them. */
  readonly greeting: { readonly stage: string };
}

/** Things of the rules that are under way. */
export type RulesDoing = 'save' | 'sound' | 'fallback';

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
  | 'signing'
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
  readonly rules: RulesApp;
  /** Goes to the rule of that name, such as `incoming.busy`. */
  showRule(path: string): void;
  /** Takes the caller who has waited longest out of the queue. */
  takeNext(): Promise<void>;
  setDoNotDisturb(on: boolean): Promise<void>;
  /** Answers what was asked before a call. */
  answerQuestion(how: 'once' | 'always'): Promise<void>;
  /** Leaves what is asked unanswered. */
  dismissQuestion(): void;
  /** Goes to the page that the agent wanted to go to when unsaved changes stood in the way. */
  leave(how: 'save' | 'discard'): Promise<void>;
  playRecording(sid: RecordingSid): Promise<void>;
  deleteRecording(call: CallId, sid: RecordingSid): Promise<void>;
}

/** What is done with the rules of calls. What fails is told on their pages. */
export interface RulesApp {
  save(): Promise<boolean>;
  discard(): void;
  undo(): void;
  play(script: PreviewScript): Promise<void>;
  readonly trial: { stop(): Promise<void>; press(key: string): Promise<void> };
  readonly greeting: { record(): Promise<void>; finish(): Promise<void> };
  deleteSound(name: SoundName): Promise<void>;
  /** Tells Twilio the address of what answers in place of this computer, or that there is none. */
  setFallback(url: string | null): Promise<void>;
  /** Looks whether callers would get something there. */
  checkFallback(): Promise<void>;
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
  /** Has Twilio sign its requests with a key of this computer's own, or with the Auth Token. */
  useSharedKey(on: boolean): Promise<void>;
  replaceSharedKey(): Promise<void>;
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
