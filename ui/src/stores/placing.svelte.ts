import type { AgentView, E164, Money, Question } from '../host/bindings';
import type { Host } from '../host/host';
import { t } from '../i18n';
import { addressOf, QUEUE } from '../phone/destination';
import { sentence } from './account.svelte';
import type { NumberField } from './number_field.svelte';

/** What a call that is about to be placed has to do with the rest of the window. */
export interface PlacingParts {
  host: Pick<Host, 'call'>;
  newId: () => string;
  /** Places the call that was permitted; false while there is another. */
  dial: (to: string, call: string) => boolean;
  /** Where numbers are typed. */
  field: Pick<NumberField, 'text' | 'read' | 'set'>;
  /** The number dialled last. */
  lastNumber: () => string | null;
  /** Why no call can be placed at all; nothing when one can. */
  why: () => string | null;
  /** Tells the agent something in passing. */
  hint: (text: string) => void;
  agent: () => AgentView | null;
}

/** What the agent is asked before a call. */
export interface Asked {
  to: string;
  question: Question;
  /** Where Twilio's price is known. */
  price: Money | null;
}

/** The way from a number to a call: the program permits it, refuses it, or has the agent asked. */
export class Placing {
  /** The program is asked whether the call may be placed. */
  busy = $state(false);
  asked = $state.raw<Asked | null>(null);
  /** Why the last call was not placed; until something else is typed or called. */
  refusal = $state('');
  /** An emergency call that was refused: help has to be called in another way, and at once. */
  noEmergency = $state.raw<{ to: string; message: string } | null>(null);
  /** The number to be shown to called parties, where it is not the account's usual one. */
  #callerId = $state<E164 | null>(null);

  readonly #parts: PlacingParts;
  #attempt = 0;

  constructor(parts: PlacingParts) {
    this.#parts = parts;
  }

  get callerId(): E164 | null {
    const agent = this.#parts.agent();
    const chosen = agent?.caller_ids.find(({ number }) => number === this.#callerId);
    return chosen?.number ?? agent?.caller_id ?? null;
  }

  setCallerId(number: E164): void {
    this.#callerId = number;
    this.refusal = '';
  }

  /** Calls what is in the field; when that is empty, and `redial`, the number before. */
  async placeTyped(redial: boolean): Promise<void> {
    const { field } = this.#parts;
    const empty = field.text.trim() === '';
    const address = addressOf(field.text);
    const last = empty && redial ? this.#parts.lastNumber() : null;
    const inspection = await field.read();
    const to = last ?? address ?? inspection?.e164 ?? inspection?.emergency ?? null;
    const why = this.#parts.why();
    if (to === null) {
      this.#parts.hint(inspection?.problem ?? t(empty ? 'why.noNumber' : 'host.failed'));
    } else if (why !== null) {
      this.#parts.hint(why);
    } else {
      await this.place(to, to === inspection?.emergency);
    }
  }

  /** Asks for the call and places it; resolves when it is placed, refused, or put to the agent. */
  place(to: string, emergency = false): Promise<void> {
    return this.#prepare(to, false, emergency);
  }

  /** The agent answered: this time, or always for this country. */
  async answer(how: 'once' | 'always'): Promise<void> {
    const { asked } = this;
    if (!asked) return;
    this.asked = null;
    if (how === 'always') {
      try {
        await this.#parts.host.call('allow_country', { region: asked.question.region });
      } catch (error) {
        this.#refuse(asked.to, sentence(error));
        return;
      }
    }
    await this.#prepare(asked.to, true);
  }

  /** Asks nothing and tells nothing any more. */
  cancel(): void {
    this.#attempt += 1;
    this.busy = false;
    this.asked = null;
    this.noEmergency = null;
  }

  forget(): void {
    this.refusal = '';
  }

  async #prepare(to: string, confirmed: boolean, emergency = false): Promise<void> {
    this.cancel();
    this.refusal = '';
    const attempt = this.#attempt;
    const call = this.#parts.newId();
    this.busy = true;
    try {
      const permit = await this.#parts.host.call('prepare_call', {
        call,
        to,
        caller_id: this.#callerId === null ? null : this.callerId,
        confirmed,
      });
      if (attempt !== this.#attempt) return;
      if (permit.type === 'ask') {
        this.asked = { to, question: permit.question, price: permit.price_per_minute };
        this.#show(to);
        return;
      }
      if (!this.#parts.dial(permit.to, call))
        this.#parts.hint(this.#parts.why() ?? t('host.failed'));
    } catch (error) {
      if (attempt === this.#attempt) this.#refuse(to, sentence(error), emergency);
    } finally {
      if (attempt === this.#attempt) this.busy = false;
    }
  }

  /** A number that was not called is shown where it can be corrected. */
  #show(to: string): void {
    const { field } = this.#parts;
    if (to !== QUEUE && field.text.trim() === '') field.set(to);
  }

  #refuse(to: string, message: string, emergency = false): void {
    this.#show(to);
    if (emergency) this.noEmergency = { to, message };
    else this.refusal = message;
  }
}
