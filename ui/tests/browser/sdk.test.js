// The real Voice SDK on the native shim, in a browser without WebRTC, against odd signalling.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { closeBrowser, open } from './page.js';
import { Program, sid } from './program.js';

const NUMBER = '+442079460000';
const registered = ({ report }) => report.state === 'registered';

let program;
let page;

beforeEach(async () => {
  program = await new Program().listen();
  page = await open(program);
  await program.command('report_device', registered);
});

afterEach(async () => {
  await page.context().close();
  await program.close();
});

after(closeBrowser);

const state = (name) => page.locator(`[data-testid="call-state"][data-state="${name}"]`).waitFor();
const whats = () => program.reports.map(({ what }) => what.type);
const named = (name) => program.commands.filter(([command]) => command === name);

async function place(number = NUMBER) {
  await page.by('number-input').fill(number);
  await page.by('call-button').click();
}

async function inCall() {
  await place();
  await state('in-call');
}

test('registers with the token and asks nothing of any other computer', async () => {
  assert.equal((await program.frame('listen')).token, 'practice-token');
  assert.deepEqual((await program.frame('register')).media, { audio: true });
  assert.deepEqual(page.faults, []);
});

test('an outgoing call from dialling to hanging up', async () => {
  await inCall();
  const invite = await program.frame('invite');
  const params = new URLSearchParams(invite.twilio.params);
  assert.equal(params.get('To'), NUMBER);
  assert.equal(params.get('CallId'), program.reports[0].call);
  assert.match(params.get('CallId'), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  assert.deepEqual(named('voice_create_offer')[0][1].codecs, ['opus', 'pcmu']);

  await page.by('mute-button').click();
  await program.command('voice_set_muted', ({ muted }) => muted);
  await page.by('hangup-button').click();
  await program.frame('hangup', ({ callsid }) => callsid === sid(1));
  await program.command('voice_close');
  await program.command('report_call', ({ report }) => report.what.type === 'ended');
  assert.deepEqual(whats(), ['dialing', 'ringing', 'accepted', 'hung_up', 'ended']);
  assert.equal(program.reports[2].call_sid, sid(1));
  assert.deepEqual(page.faults, []);
});

test('keys pressed faster than their tones all reach the far end', async () => {
  await inCall();
  await page.by('keypad-button').click();
  for (const key of '159#') await page.by(`key-${key === '#' ? 'hash' : key}`).click();
  const sent = () => named('voice_insert_dtmf').map(([, { tones }]) => tones);
  await program.command('voice_insert_dtmf', () => sent().join('') === '159#');
});

test('hanging up before an answer ends the call at Twilio too', async () => {
  program.rings = false;
  program.answers = false;
  await place();
  await program.frame('invite');
  await page.by('hangup-button').click();
  await program.frame('hangup', ({ callsid }) => /^TJS/.test(callsid));
  await program.command('report_call', ({ report }) => report.what.type === 'ended');
  assert.deepEqual(whats(), ['dialing', 'hung_up', 'ended']);
});

test('a busy far end is told in words', async () => {
  program.answers = false;
  await place();
  await state('ringing');
  program.signal('hangup', { callsid: sid(1), error: { code: 31486, message: 'Busy Here' } });
  await state('ended');
  assert.match(await page.by('call-reason').textContent(), /busy/i);
  const failed = await program.command(
    'report_call',
    ({ report }) => report.what.type === 'failed',
  );
  assert.equal(failed.report.what.code, 31486);
});

test('a failure of the sound engine ends the call with its own sentence', async () => {
  const message = 'No microphone could be opened. Plug one in.';
  program.refuse.set('voice_create', { code: 'MicrophoneMissing', message, detail: null });
  await place();
  await state('ended');
  assert.equal(await page.by('call-reason').textContent(), message);
  assert.equal(program.frames.filter(({ type }) => type === 'invite').length, 0);

  program.refuse.clear();
  await page.by('call-again-button').click();
  await state('in-call');
});

test('an answer that the engine does not take ends the call at both ends', async () => {
  program.refuse.set('voice_set_remote', { code: 'MediaFailed', message: 'No.', detail: null });
  await place();
  await state('ended');
  await program.frame('hangup');
  await program.command('voice_close');
  const { report } = await program.command('report_call', (a) => a.report.what.type === 'failed');
  assert.equal(report.what.code, 53402);
});

test('an incoming call is announced, answered and ended by the caller', async () => {
  const callsid = program.invite('+12025550100');
  await page.by('answer-button').waitFor();
  assert.match(await page.getByRole('alert').textContent(), /Incoming call: \+120 255 501 00/);
  assert.match(await page.by('call-our-number').textContent(), /\+442 079/);
  await page.by('answer-button').click();
  await state('in-call');
  await program.frame('answer', (payload) => payload.callsid === callsid);
  program.signal('hangup', { callsid });
  await state('ended');
  await program.command('report_call', ({ report }) => report.what.type === 'ended');
  assert.deepEqual(whats(), ['incoming', 'accepted', 'ended']);
  const [{ direction, peer, our_number, call_sid, parent_call_sid }] = program.reports;
  assert.deepEqual(
    { direction, peer, our_number, call_sid, parent_call_sid },
    {
      direction: 'incoming',
      peer: '+12025550100',
      our_number: '+442079460018',
      call_sid: callsid,
      parent_call_sid: sid(901),
    },
  );
  assert.deepEqual(page.faults, []);
});

test('an incoming call waits for no ring tone', async () => {
  program.invite('+12025550100');
  await page.by('answer-button').waitFor();
  // The SDK's own would be asked of another computer and, refused, hold the call back for two
  // seconds.
  assert.deepEqual(page.faults, []);
});

test('declining tells Twilio', async () => {
  const callsid = program.invite('+12025550100');
  await page.by('decline-button').click();
  assert.equal((await program.frame('reject')).callsid, callsid);
  await program.command('report_call', ({ report }) => report.what.type === 'ended');
  assert.deepEqual(whats(), ['incoming', 'declined', 'ended']);
});

test('a caller who gives up is a missed call', async () => {
  const callsid = program.invite('+12025550100');
  await page.by('answer-button').waitFor();
  program.signal('cancel', { callsid });
  await state('ended');
  assert.equal(await page.by('call-state').textContent(), 'Missed call');
  await program.command('report_call', ({ report }) => report.what.type === 'canceled_by_caller');
  assert.deepEqual(whats(), ['incoming', 'canceled_by_caller']);
});

test('a second caller hears that the line is busy and the call goes on', async () => {
  await inCall();
  const second = program.invite('+12025550107');
  assert.equal((await program.frame('reject')).callsid, second);
  await page.by('notice').waitFor();
  assert.equal(await page.by('call-state').getAttribute('data-state'), 'in-call');
  await program.command('report_call', ({ report }) => report.what.type === 'failed');
  const [incoming, failed] = program.reports.slice(-2);
  assert.equal(incoming.call, failed.call);
  assert.deepEqual([incoming.what.type, failed.what.code], ['incoming', 31486]);
});

test('signalling that is lost and comes back leaves the call up', async () => {
  await inCall();
  program.cut();
  await program.frame('invite', ({ reconnect }) => reconnect === 'resume');
  await program.command('report_call', ({ report }) => report.what.type === 'reconnected');
  await state('in-call');
  assert.equal(named('voice_close').length, 0);
  assert.deepEqual(whats().slice(2), ['accepted', 'reconnecting', 'reconnected']);
});

test('a call that cannot be resumed leaves nothing behind', async () => {
  program.resumes = false;
  await inCall();
  program.cut();
  await state('ended');
  assert.match(await page.by('call-reason').textContent(), /connection/i);
  await program.command('voice_close');
  await program.command(
    'report_device',
    (args) =>
      registered(args) && named('report_device').filter(([, a]) => registered(a)).length > 1,
  );
  await page.by('call-again-button').click();
  await state('in-call');
});

test('a ringing call is given up with its signalling', async () => {
  program.invite('+12025550100');
  await page.by('answer-button').waitFor();
  program.cut();
  await state('ended');
  await program.command('report_call', ({ report }) => report.what.type === 'failed');
  assert.deepEqual(whats(), ['incoming', 'failed']);
});

test('no call is placed while there is no connection', async () => {
  program.view.lights.calls_out.state = 'reconnecting';
  program.event('lights_changed', program.view.lights);
  await page.locator('[data-testid="light-out"][data-state="reconnecting"]').waitFor();
  await page.by('number-input').fill(NUMBER);
  assert.equal(await page.by('call-button').getAttribute('aria-disabled'), 'true');
  await page.keyboard.press('Enter');
  assert.match(await page.by('hint').textContent(), /not ready/);
  assert.deepEqual(program.reports, []);
});

test('a token that Twilio refuses is replaced', async () => {
  program.signal('error', { error: { code: 20101, message: 'Invalid Access Token' } });
  await program.command('issue_access_token', () => named('issue_access_token').length === 2);
  await program.command(
    'report_device',
    (args) =>
      registered(args) && named('report_device').filter(([, a]) => registered(a)).length > 1,
  );
});

test('a new token waits for the end of the call', async () => {
  await inCall();
  const listens = () => program.frames.filter(({ type }) => type === 'listen').length;
  program.event('token_renewal_due');
  // Anything after it that the page answers proves that the event was heard.
  program.event('action_requested', { action: 'toggle_mute' });
  await program.command('voice_set_muted', ({ muted }) => muted);
  assert.equal(listens(), 1);
  await page.by('hangup-button').click();
  await program.frame('listen', () => listens() === 2);
});

test('what is asked for outside the window goes the way of the buttons', async () => {
  program.event('action_requested', { action: 'dial', number: NUMBER });
  await state('in-call');
  program.event('action_requested', { action: 'send_digits', digits: '42' });
  assert.equal((await program.command('voice_insert_dtmf')).tones, '42');
  program.event('action_requested', { action: 'hang_up' });
  await state('ended');
  program.event('action_requested', { action: 'answer' });
  assert.match(await page.by('hint').textContent(), /Nobody is calling/);
});
