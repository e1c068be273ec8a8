import { SvelteMap } from 'svelte/reactivity';
import type { NumberInspection } from '../host/bindings';
import { t } from '../i18n';
import { QUEUE } from '../phone/destination';

/** How parties are written: numbers formatted for reading, addresses without `client:` or `sip:`. */
export class Names {
  readonly #known = new SvelteMap<string, string>();
  /** Asked for and not answered yet; nothing is drawn from it. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a view that reads it would ask again
  readonly #asked = new Set<string>();
  readonly #inspect: (text: string) => Promise<NumberInspection>;

  constructor(inspect: (text: string) => Promise<NumberInspection>) {
    this.#inspect = inspect;
  }

  /** The name of `peer`; an unformatted number at first, and the formatted one a moment later. */
  of(peer: string): string {
    if (peer === '') return t('peer.unknown');
    if (peer === QUEUE) return t('peer.queue');
    if (/^(?:client|sips?):/.test(peer)) return peer.replace(/^\w+:/, '');
    const known = this.#known.get(peer);
    if (known !== undefined) return known;
    if (!this.#asked.has(peer) && isNumber(peer)) {
      this.#asked.add(peer);
      this.#inspect(peer).then(
        ({ formatted }) => this.#known.set(peer, formatted),
        // The raw number will do; the next one to ask may be luckier.
        () => this.#asked.delete(peer),
      );
    }
    return peer;
  }
}

/** Whether `peer` is a number that can be called. */
export function isNumber(peer: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(peer);
}
