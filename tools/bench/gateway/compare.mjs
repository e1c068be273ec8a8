// Whether both servers answer alike: what they are measured for must be the same work.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { AGENT, CUSTOMER } from './account.mjs';

let calls = 0;
/** A CallSid nobody else uses. */
const callSid = () => `CA${(calls += 1).toString(16).padStart(32, 'c')}`;
/** An agent who has no call under way. */
const freshAgent = () => `${AGENT}_${(calls += 1)}`;

/** A client that signs as Twilio does, with Twilio's own library. */
function twilioOf(root, account) {
  const { getExpectedTwilioSignature } = createRequire(join(root, 'tools/bench/express/server.js'))('twilio');
  const sign = (target, form) =>
    getExpectedTwilioSignature(account.TWILIO_AUTH_TOKEN, account.BACKEND_URL + target, form);

  /** Sends a webhook; `forge` changes the headers. */
  return async function webhook(side, method, path, form, forge = (headers) => headers) {
    const query = method === 'GET' ? `?${new URLSearchParams(form)}` : '';
    const headers = { 'x-twilio-signature': sign(path + query, method === 'GET' ? {} : form) };
    return fetch(`http://127.0.0.1:${side.webhookPort}${path}${query}`, {
      method,
      headers: forge(headers),
      ...(method === 'POST' && { body: new URLSearchParams(form) }),
    });
  };
}

const voice = (account, more, caller = `client:${freshAgent()}`) => ({
  AccountSid: account.TWILIO_ACCOUNT_SID,
  ApiVersion: '2010-04-01',
  ApplicationSid: account.TWILIO_TWIML_APP_SID,
  CallSid: callSid(),
  CallStatus: 'ringing',
  Called: '',
  Caller: caller,
  Direction: 'inbound',
  From: caller,
  To: CUSTOMER,
  ...more,
});

const leg = (account, status, sequence, sid) => ({
  AccountSid: account.TWILIO_ACCOUNT_SID,
  CallSid: sid,
  ParentCallSid: callSid(),
  CallStatus: status,
  CallbackSource: 'call-progress-events',
  Direction: 'outbound-dial',
  From: account.TWILIO_PHONE_NUMBER,
  To: CUSTOMER,
  SequenceNumber: String(sequence),
  Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
});

/** Asserts that both sides answer the same questions with the same answers. */
export async function compare(root, account, sides) {
  const webhook = twilioOf(root, account);
  const both = async (ask) => Promise.all(sides.map(ask));
  const same = ([one, other], what) => assert.equal(other, one, `${what} differs`);

  const questions = [
    ['a call from the Voice SDK', 'POST', voice(account)],
    ['the same by GET', 'GET', voice(account)],
    ['a parameter with characters to escape', 'POST', voice(account, { Note: 'Zoë & <Co> +100 %' })],
    ['the same by GET', 'GET', voice(account, { Note: 'Zoë & <Co> +100 %' })],
    ['the short form', 'GET', { To: CUSTOMER, From: account.TWILIO_PHONE_NUMBER }],
    ['a number that is none', 'POST', voice(account, { To: '12' })],
  ];
  for (const [what, method, form] of questions) {
    const documents = await both(async (side) => {
      const response = await webhook(side, method, '/api/calls/twiml', form);
      assert.equal(response.status, 200, `${side.name}: ${what}`);
      assert.match(response.headers.get('content-type'), /^text\/xml\b/, `${side.name}: ${what}`);
      return (await response.text()).replace(/\s*\n\s*/g, '');
    });
    same(documents, what);
  }

  const another = (headers) => ({ ...headers, 'x-twilio-signature': `${'A'.repeat(27)}=` });
  for (const path of ['/api/calls/twiml', '/api/calls/status']) {
    const forged = await both(async (side) => {
      const response = await webhook(side, 'POST', path, voice(account), another);
      assert.doesNotMatch(await response.text(), /</, `${side.name}: a forged request gets a document`);
      return response.status;
    });
    assert.deepEqual(forged, [403, 403], `forged ${path}`);
    // Twilio's library tells these apart with a 400.
    const unsigned = await both(
      async (side) => (await webhook(side, 'POST', path, voice(account), () => ({}))).status,
    );
    assert.ok(
      unsigned.every((status) => status === 403 || status === 400),
      `unsigned ${path}: ${unsigned}`,
    );
  }

  const sid = callSid();
  const statuses = await both(async (side) =>
    Promise.all(
      ['initiated', 'ringing', 'in-progress', 'completed'].map(
        async (status, sequence) =>
          (await webhook(side, 'POST', '/api/calls/status', leg(account, status, sequence, sid))).status,
      ),
    ),
  );
  assert.deepEqual(statuses, [Array(4).fill(204), Array(4).fill(204)]);
  for (const { name, database } of sides.filter(({ database }) => database)) {
    await recorded(database, sid).catch(() => assert.fail(`${name} kept no record of ${sid}`));
  }

  const [theirs, ours] = await both(async (side) => {
    const response = await fetch(`http://127.0.0.1:${side.tokenPort}/api/calls/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${account.AGENT_API_TOKEN}`,
      },
      body: JSON.stringify({ agentId: AGENT }),
    });
    assert.equal(response.status, 200, `${side.name}: token`);
    const answer = await response.json();
    assert.equal(answer.identity, AGENT);
    const { header, claims } = verified(answer.token, account.TWILIO_API_SECRET);
    return {
      header,
      issuer: claims.iss,
      subject: claims.sub,
      grants: claims.grants,
      lifetime: claims.exp - claims.iat,
    };
  });
  assert.deepEqual(ours, theirs, 'the access tokens say different things');
}

/** The parts of a JWT whose HS256 signature `secret` made. */
function verified(jwt, secret) {
  const [header, claims, signature] = jwt.split('.');
  const expected = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
  assert.equal(signature, expected, 'the signature of the access token');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), claims: read(claims) };
}

/** Waits until the call log names `sid`; what SQLite has not moved into its file yet is beside it. */
async function recorded(database, sid) {
  const named = () =>
    [database, `${database}-wal`].some((file) => existsSync(file) && readFileSync(file).includes(sid));
  const deadline = Date.now() + 5_000;
  while (!named()) {
    if (Date.now() > deadline) throw new Error('not recorded');
    await sleep(20);
  }
}
