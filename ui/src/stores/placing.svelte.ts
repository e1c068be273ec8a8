import type { AgentView, E164, Money, Question } from '../host/bindings';
import type { Host } from '../host/host';
import { sentence } from './account.svelte';

/** What a call that is about to be placed has to do with the rest of the window. */
export interface PlacingParts {
  host: Pick<Host, 'call'>;
  newId: () => string;
  /** Places the call that was permitted; false while there is another. */
  dial: (to: string, call: string) => boolean;
  /** A call stands in the way: the agent is told. */
  inTheWay: () => void;
  /** The call was not placed: its number is shown where it can be corrected. */
  refused: (to: string) => void;
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
        this.#parts.refused(to);
        return;
      }
      if (!this.#parts.dial(permit.to, call)) this.#parts.inTheWay();
    } catch (error) {
      if (attempt === this.#attempt) this.#refuse(to, sentence(error), emergency);
    } finally {
      if (attempt === this.#attempt) this.busy = false;
    }
  }

  #refuse(to: string, message: string, emergency = false): void {
    this.#parts.refused(to);
    if (emergency) this.noEmergency = { to, message };
    else this.refusal = message;
  }
}
