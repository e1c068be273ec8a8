import type { E164, Lights, NumberInspection } from '../host/bindings';
import type { PhoneState } from '../phone/state';

/** Which of the two pages a narrow window shows; a wide one shows both. */
export type Page = 'keypad' | 'recents';

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
}

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
}
