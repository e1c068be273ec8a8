import { beforeEach, describe, expect, it } from 'vitest';
import type { CallLogEntry, CallReport } from '../../src/host/bindings';
import {
  ANSWER_TIMEOUT_MS,
  DIAL_TIMEOUT_MS,
  ENDED_SHOWN_MS,
  FAILURE_SHOWN_MS,
  Phone,
} from '../../src/phone/phone';
import type { Invite } from '../../src/phone/line';
import type { PhoneState } from '../../src/phone/state';
import { talkSeconds } from '../../src/phone/talk_time';
import { HandClock } from './clock';
import { PlayedCall, PlayedLine, SID } from './line';

const NUMBER = '+12025550100';
const INVITE: Invite = {
  peer: '+12025550107',
  ourNumber: '+442079460018',
  callSid: SID,
  parentCallSid: `CA${'0'.repeat(31)}2`,
};

let clock: HandClock;
let line: PlayedLine;
let reports: CallReport[];
let phone: Phone;
let ids: number;

beforeEach(() => {
  clock = new HandClock();
  line = new PlayedLine();
  reports = [];
  ids = 0;
  phone = new Phone({
    line,
    clock,
    newId: () => `id-${(ids += 1)}`,
    report: (report) => reports.push(report),
  });
});

const dial = (to = NUMBER): boolean => phone.dial(to, `id-${(ids += 1)}`);
const whats = (): string[] => reports.map(({ what }) => what.type);

function live(): Exclude<PhoneState, { name: 'idle' }> {
  if (phone.state.name === 'idle') throw new Error('the phone is idle');
  return phone.state;
}

function inCall(): PlayedCall {
  dial();
  line.last.ringing();
  line.last.accepted();
  return line.last;
}

function receive(): PlayedCall {
  const call = new PlayedCall();
  phone.receive(INVITE, call);
  return call;
}

describe('an outgoing call', () => {
  it('goes through its states and reports each', () => {
    const names: string[] = [];
    phone.subscribe(({ name }) => names.push(name));
    const call = inCall();
    call.happens({ type: 'reconnecting' });
    call.happens({ type: 'reconnected' });
    call.happens({ type: 'ended' });
    expect(names).toEqual([
      'idle',
      'dialing',
      'ringing',
      'in-call',
      'reconnecting',
      'in-call',
      'ended',
    ]);
    expect(whats()).toEqual([
      'dialing',
      'ringing',
      'accepted',
      'reconnecting',
      'reconnected',
      'ended',
    ]);
    expect(live()).toMatchObject({ ending: { how: 'ended' } });
  });

  it('passes the number and its own name to the TwiML App', () => {
    dial();
    expect(line.placed[0]?.params).toEqual({ To: NUMBER, CallId: 'id-1' });
    expect(reports[0]).toEqual({
      call: 'id-1',
      direction: 'outgoing',
      call_sid: null,
      parent_call_sid: null,
      peer: NUMBER,
      our_number: null,
      what: { type: 'dialing' },
    });
  });

  it('reports the SID once Twilio has told it, and no temporary name', () => {
    dial();
    line.last.happens({ type: 'ringing', callSid: 'TJSxyz', earlyMedia: true });
    expect(reports.at(-1)?.call_sid).toBeNull();
    line.last.accepted();
    expect(reports.at(-1)?.call_sid).toBe(SID);
  });

  it('is placed once while there is a call', () => {
    dial();
    dial('+12025550101');
    expect(line.placed).toHaveLength(1);
  });

  it('answered without ringing first is up', () => {
    dial();
    line.last.accepted();
    expect(phone.state.name).toBe('in-call');
    line.last.ringing();
    expect(phone.state.name).toBe('in-call');
  });

  it('is cancelled by hanging up before an answer, and its end is told after', () => {
    dial();
    const call = line.last;
    phone.hangUp();
    expect(live()).toMatchObject({ name: 'ended', ending: { how: 'canceled' } });
    expect(call.done).toEqual(['hangUp']);
    call.happens({ type: 'ended' });
    expect(whats()).toEqual(['dialing', 'hung_up', 'ended']);
  });

  it('ended by Twilio before an answer waits for the verdict of the log', () => {
    dial();
    line.last.happens({ type: 'ended' });
    expect(live()).toMatchObject({ ending: { how: 'unanswered' }, verdict: null });
    phone.learn(entry('id-1', 'busy'));
    expect(live()).toMatchObject({ verdict: { outcome: 'busy', reason: 'The line is busy.' } });
    phone.learn(entry('another', 'failed'));
    expect(live()).toMatchObject({ verdict: { outcome: 'busy' } });
  });

  it('without a sign of life fails and is hung up', () => {
    dial();
    clock.pass(DIAL_TIMEOUT_MS - 1);
    expect(phone.state.name).toBe('dialing');
    clock.pass(1);
    expect(live()).toMatchObject({ name: 'ended', ending: { how: 'failed', code: 31003 } });
    expect(line.last.done).toEqual(['hangUp']);
    expect(whats()).toEqual(['dialing', 'failed']);
  });

  it('may ring longer than that', () => {
    dial();
    line.last.ringing();
    clock.pass(2 * DIAL_TIMEOUT_MS);
    expect(phone.state.name).toBe('ringing');
  });

  it('that fails says why, in the words of the line when it has some', () => {
    dial();
    line.last.happens({ type: 'failed', code: 31486, message: null });
    expect(live()).toMatchObject({ ending: { message: 'The line is busy.' } });
    dial();
    line.last.happens({ type: 'failed', code: 53400, message: 'No microphone.' });
    expect(live()).toMatchObject({ ending: { message: 'No microphone.' } });
    expect(reports.at(-1)?.what).toEqual({
      type: 'failed',
      code: 53400,
      message: 'No microphone.',
    });
  });

  it('after its end is heard no more', () => {
    const call = inCall();
    call.happens({ type: 'ended' });
    call.happens({ type: 'failed', code: 31005, message: null });
    call.accepted();
    expect(whats()).toEqual(['dialing', 'ringing', 'accepted', 'ended']);
  });
});

describe('an incoming call', () => {
  it('rings, is answered, and is up when the sound is', () => {
    const call = receive();
    expect(phone.state.name).toBe('incoming');
    phone.answer();
    phone.answer();
    expect(call.done).toEqual(['answer']);
    expect(live()).toMatchObject({ name: 'incoming', call: { answering: true } });
    call.accepted();
    expect(phone.state.name).toBe('in-call');
    expect(whats()).toEqual(['incoming', 'accepted']);
    expect(reports[0]).toMatchObject({
      direction: 'incoming',
      call_sid: SID,
      parent_call_sid: INVITE.parentCallSid,
      peer: INVITE.peer,
      our_number: INVITE.ourNumber,
    });
  });

  it('is declined', () => {
    const call = receive();
    phone.decline();
    expect(call.done).toEqual(['decline']);
    expect(live()).toMatchObject({ ending: { how: 'declined' } });
    call.happens({ type: 'ended' });
    expect(whats()).toEqual(['incoming', 'declined', 'ended']);
  });

  it('cannot be hung up while it rings', () => {
    const call = receive();
    phone.hangUp();
    expect(phone.state.name).toBe('incoming');
    expect(call.done).toEqual([]);
  });

  it('can be hung up while it is being answered', () => {
    const call = receive();
    phone.answer();
    phone.hangUp();
    expect(call.done).toEqual(['answer', 'hangUp']);
    expect(live()).toMatchObject({ ending: { how: 'hung_up' } });
  });

  it('is missed when the caller gives up', () => {
    receive().happens({ type: 'canceled' });
    expect(live()).toMatchObject({ ending: { how: 'missed' } });
    expect(whats()).toEqual(['incoming', 'canceled_by_caller']);
  });

  it('answered without sound coming up fails', () => {
    const call = receive();
    clock.pass(ANSWER_TIMEOUT_MS);
    expect(phone.state.name).toBe('incoming');
    phone.answer();
    clock.pass(ANSWER_TIMEOUT_MS);
    expect(live()).toMatchObject({ ending: { how: 'failed' } });
    expect(call.done).toEqual(['answer', 'hangUp']);
  });

  it('hears that we are busy while there is a call, which goes on', () => {
    inCall();
    const second = receive();
    expect(second.done).toEqual(['decline']);
    expect(live()).toMatchObject({ name: 'in-call', call: { id: 'id-1' } });
    expect(reports.slice(-2).map(({ call, what }) => [call, what.type])).toEqual([
      ['id-2', 'incoming'],
      ['id-2', 'failed'],
    ]);
  });

  it('may follow an ending that is still shown', () => {
    inCall().happens({ type: 'ended' });
    receive();
    expect(phone.state.name).toBe('incoming');
    clock.pass(FAILURE_SHOWN_MS);
    expect(phone.state.name).toBe('incoming');
  });
});

describe('in a call', () => {
  it('mutes and unmutes', () => {
    const call = inCall();
    phone.setMuted(true);
    phone.setMuted(false);
    expect(call.done).toEqual(['mute', 'unmute']);
    expect(live().call.muted).toBe(false);
  });

  it('sends keys no faster than their tones, and shows all of them', () => {
    const call = inCall();
    for (const key of '159') phone.press(key);
    expect(call.done).toEqual(['digits 1']);
    clock.pass(230);
    expect(call.done).toEqual(['digits 1', 'digits 59']);
    expect(live().call.digits).toBe('159');
  });

  it('drops keys that were not sent when the call ends', () => {
    const call = inCall();
    phone.press('1');
    phone.press('2');
    call.happens({ type: 'ended' });
    dial();
    line.last.accepted();
    clock.pass(1_000);
    expect(line.last.done).toEqual([]);
    phone.press('3');
    expect(line.last.done).toEqual(['digits 3']);
  });

  it('keeps each trouble while it lasts', () => {
    const call = inCall();
    call.happens({ type: 'trouble', trouble: 'high_loss', begins: true });
    call.happens({ type: 'trouble', trouble: 'high_loss', begins: true });
    call.happens({ type: 'trouble', trouble: 'microphone_silent', begins: true });
    expect(live().call.troubles).toEqual(['high_loss', 'microphone_silent']);
    call.happens({ type: 'trouble', trouble: 'high_loss', begins: false });
    expect(live().call.troubles).toEqual(['microphone_silent']);
    expect(whats()).toEqual(['dialing', 'ringing', 'accepted']);
  });

  it('counts the seconds of conversation from the answer to the end', () => {
    dial();
    clock.pass(9_000);
    expect(talkSeconds(phone.state, clock.now())).toBeNull();
    line.last.accepted();
    clock.pass(61_900);
    expect(talkSeconds(phone.state, clock.now())).toBe(61);
    phone.hangUp();
    clock.pass(3_000);
    expect(talkSeconds(phone.state, clock.now())).toBe(61);
  });
});

describe('an ending', () => {
  it('goes by itself, an ordinary one soon', () => {
    inCall();
    phone.hangUp();
    clock.pass(ENDED_SHOWN_MS);
    expect(phone.state.name).toBe('idle');
    expect(clock.waiting).toBe(0);
  });

  it('that needs reading stays longer', () => {
    dial();
    line.last.happens({ type: 'failed', code: 31404, message: null });
    clock.pass(ENDED_SHOWN_MS);
    expect(phone.state.name).toBe('ended');
    clock.pass(FAILURE_SHOWN_MS);
    expect(phone.state.name).toBe('idle');
  });

  it('stays longer from the moment its reason is known', () => {
    dial();
    line.last.happens({ type: 'ended' });
    clock.pass(ENDED_SHOWN_MS - 1);
    phone.learn(entry('id-1', 'busy'));
    clock.pass(FAILURE_SHOWN_MS - 1);
    expect(phone.state.name).toBe('ended');
    clock.pass(1);
    expect(phone.state.name).toBe('idle');
  });

  it('can be dismissed, and a live call cannot', () => {
    const call = inCall();
    phone.dismiss();
    expect(phone.state.name).toBe('in-call');
    call.happens({ type: 'ended' });
    phone.dismiss();
    expect(phone.state.name).toBe('idle');
    expect(clock.waiting).toBe(0);
  });
});

function entry(id: string, outcome: CallLogEntry['outcome']): CallLogEntry {
  return {
    id,
    direction: 'outgoing',
    peer: NUMBER,
    our_number: null,
    started_at_ms: 0,
    answered_at_ms: null,
    ended_at_ms: null,
    duration_s: null,
    outcome,
    reason: 'The line is busy.',
    error_code: null,
    legs: [],
    recordings: [],
    waited_s: null,
  };
}
