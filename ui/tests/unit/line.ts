import type { Line, LineCall, LineEvent } from '../../src/phone/line';

/** A call whose far side the test plays. */
export class PlayedCall implements LineCall {
  /** What the phone did to it, in order. */
  readonly done: string[] = [];
  #handler: (event: LineEvent) => void = () => undefined;

  listen(handler: (event: LineEvent) => void): void {
    this.#handler = handler;
  }

  answer(): void {
    this.done.push('answer');
  }

  decline(): void {
    this.done.push('decline');
  }

  hangUp(): void {
    this.done.push('hangUp');
  }

  setMuted(muted: boolean): void {
    this.done.push(muted ? 'mute' : 'unmute');
  }

  sendDigits(digits: string): void {
    this.done.push(`digits ${digits}`);
  }

  /** Something happens on the far side. */
  happens(event: LineEvent): void {
    this.#handler(event);
  }

  ringing(): void {
    this.happens({ type: 'ringing', callSid: SID, earlyMedia: false });
  }

  accepted(): void {
    this.happens({ type: 'accepted', callSid: SID });
  }
}

export const SID = `CA${'0'.repeat(31)}1`;

/** A line that remembers its calls. */
export class PlayedLine implements Line {
  readonly placed: { params: Readonly<Record<string, string>>; call: PlayedCall }[] = [];

  place(params: Readonly<Record<string, string>>): LineCall {
    const call = new PlayedCall();
    this.placed.push({ params, call });
    return call;
  }

  get last(): PlayedCall {
    const entry = this.placed.at(-1);
    if (!entry) throw new Error('no call was placed');
    return entry.call;
  }
}
