import type { NumberInspection } from '../host/bindings';
import { isAddress } from '../phone/destination';
import {
  backspace,
  insert,
  onlyDecorationLost,
  reformat,
  type FieldText,
} from '../phone/number_field';

/** The number field: what is typed, where the caret stands, and what the program makes of it. */
export class NumberField {
  text = $state('');
  caret = $state(0);
  /** What the program last said; about an earlier text while `pending`. */
  inspection = $state.raw<NumberInspection | null>(null);
  /** The program is being asked about `text`. */
  pending = $state(false);
  /** Counts changes that did not come from typing, after which the caret has to be put back. */
  moves = $state(0);

  readonly #inspect: (text: string) => Promise<NumberInspection>;
  readonly #changed: () => void;
  #asked = 0;
  #answer: Promise<NumberInspection | null> = Promise.resolve(null);

  constructor(inspect: (text: string) => Promise<NumberInspection>, changed: () => void) {
    this.#inspect = inspect;
    this.#changed = changed;
  }

  /** The input element changed by itself: typing, pasting, deleting. */
  typed(text: string, caret: number): void {
    if (onlyDecorationLost(this.text, text)) {
      // Deleting a space means the digit before it.
      this.#set(backspace({ text, caret }), true);
    } else {
      this.#set({ text, caret }, false);
    }
  }

  insert(typed: string): void {
    this.#set(insert(this.#field, typed), true);
  }

  erase(): void {
    this.#set(backspace(this.#field), true);
  }

  /** Puts the caret where the agent put it. */
  moveCaret(caret: number): void {
    this.caret = caret;
  }

  set(text: string): void {
    this.#set({ text, caret: text.length }, true);
  }

  /**
   * What the program says about the text as it is at this moment, whatever is typed until the answer
   * comes; nothing when it cannot be asked.
   */
  read(): Promise<NumberInspection | null> {
    return this.#answer;
  }

  get #field(): FieldText {
    return { text: this.text, caret: Math.min(this.caret, this.text.length) };
  }

  #set(field: FieldText, moved: boolean): void {
    this.text = field.text;
    this.caret = field.caret;
    if (moved) this.moves += 1;
    this.#changed();
    this.#asked += 1;
    const asked = this.#asked;
    // An address is no number: there is nothing to format in it.
    if (field.text.trim() === '' || isAddress(field.text)) {
      this.inspection = null;
      this.pending = false;
      this.#answer = Promise.resolve(null);
      return;
    }
    this.pending = true;
    this.#answer = this.#ask(field.text, asked);
  }

  async #ask(text: string, asked: number): Promise<NumberInspection | null> {
    let inspection: NumberInspection;
    try {
      inspection = await this.#inspect(text);
    } catch (error) {
      console.warn('the number could not be read', error);
      if (asked === this.#asked) this.pending = false;
      return null;
    }
    // Only the answer to the latest question fits what stands in the field.
    if (asked !== this.#asked) return inspection;
    this.pending = false;
    this.inspection = inspection;
    const field = reformat(this.#field, inspection.formatted);
    if (field.text !== this.text) {
      this.text = field.text;
      this.caret = field.caret;
      this.moves += 1;
    }
    return inspection;
  }
}
