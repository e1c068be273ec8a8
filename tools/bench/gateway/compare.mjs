// Whether both servers answer alike: what they are measured for must be the same work.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { AGENT, customer } from './account.mjs';
import { callSid } from './twilio.mjs';

/** Asserts that both sides answer the same questions with the same answers. */
export async function compare(twilio, account, sides) {
  const both = async (ask) => Promise.all(sides.map(ask));
  const same = ([one, other], what) => assert.equal(other, one, `${what} differs`);

  const [theirs, ours] = await both(async (side) => {
    const response = await twilio.token(side);
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

  const noted = { Note: 'Zoë & <Co> +100 %' };
  const questions = [
    ['a call from the Voice SDK', 'POST', twilio.outgoing()],
    ['the same by GET', 'GET', twilio.outgoing()],
    ['a call from the Voice SDK with characters to escape', 'POST', twilio.outgoing(noted)],
    ['the same by GET', 'GET', twilio.outgoing(noted)],
    ['the short form', 'GET', { To: customer(account), From: account.TWILIO_PHONE_NUMBER }],
    ['a number that is none', 'POST', twilio.outgoing({ To: '12' })],
    // The agent who has just got a token is rung.
    ['a caller', 'POST', twilio.incoming()],
    ['the same by GET', 'GET', twilio.incoming()],
    ['a caller with characters to escape', 'POST', twilio.incoming(noted)],
  ];
  for (const [what, method, form] of questions) {
    const documents = await both(async (side) => {
      const response = await twilio.webhook(side, method, '/api/calls/twiml', form);
      assert.equal(response.status, 200, `${side.name}: ${what}`);
      assert.match(response.headers.get('content-type'), /^text\/xml\b/, `${side.name}: ${what}`);
      return (await response.text()).replace(/\s*\n\s*/g, '');
    });
    same(documents, what);
  }

  const another = (headers) => ({ ...headers, 'x-twilio-signature': `${'A'.repeat(27)}=` });
  for (const path of ['/api/calls/twiml', '/api/calls/status']) {
    const forged = await both(async (side) => {
      const response = await twilio.webhook(side, 'POST', path, twilio.outgoing(), another);
      assert.doesNotMatch(await response.text(), /</, `${side.name}: a forged request gets a document`);
      return response.status;
    });
    assert.deepEqual(forged, [403, 403], `forged ${path}`);
    // Twilio's library tells these apart with a 400.
    const unsigned = await both(
      async (side) => (await twilio.webhook(side, 'POST', path, twilio.outgoing(), () => ({}))).status,
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
          (await twilio.webhook(side, 'POST', '/api/calls/status', twilio.leg(sid, status, sequence))).status,
      ),
    ),
  );
  assert.deepEqual(statuses, [Array(4).fill(204), Array(4).fill(204)]);
  for (const { name, database } of sides.filter(({ database }) => database)) {
    await recorded(database, sid).catch(() => assert.fail(`${name} kept no record of ${sid}`));
  }
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
