// Twilio and an agent, as far as the two servers see them, one request at a time.

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { AGENT, customer } from './account.mjs';

let calls = 0;
/** A CallSid nobody else uses. */
export const callSid = () => `CA${(calls += 1).toString(16).padStart(32, 'c')}`;

/** What an agent and Twilio ask a server, signed by Twilio's own library. */
export class Twilio {
  #account;
  #sign;

  constructor(root, account) {
    this.#account = account;
    const { getExpectedTwilioSignature } = createRequire(join(root, 'tools/bench/express/server.js'))(
      'twilio',
    );
    this.#sign = (target, form) =>
      getExpectedTwilioSignature(account.TWILIO_AUTH_TOKEN, account.BACKEND_URL + target, form);
  }

  /** Sends a webhook; `forge` changes its headers. */
  async webhook(side, method, path, form, forge = (headers) => headers) {
    const query = method === 'GET' ? `?${new URLSearchParams(form)}` : '';
    const headers = { 'x-twilio-signature': this.#sign(path + query, method === 'GET' ? {} : form) };
    return fetch(`http://127.0.0.1:${side.webhookPort}${path}${query}`, {
      method,
      headers: forge(headers),
      ...(method === 'POST' && { body: new URLSearchParams(form) }),
    });
  }

  /** Asks for an access token. */
  async token(side) {
    return fetch(`http://127.0.0.1:${side.tokenPort}/api/calls/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${this.#account.AGENT_API_TOKEN}`,
      },
      body: JSON.stringify({ agentId: AGENT }),
    });
  }

  /** What Twilio tells of a call that the Voice SDK placed, each time another agent's. */
  outgoing(more) {
    const caller = `client:${AGENT}_${(calls += 1)}`;
    return {
      AccountSid: this.#account.TWILIO_ACCOUNT_SID,
      ApiVersion: '2010-04-01',
      ApplicationSid: this.#account.TWILIO_TWIML_APP_SID,
      CallSid: callSid(),
      CallStatus: 'ringing',
      Called: '',
      Caller: caller,
      Direction: 'inbound',
      From: caller,
      To: customer(this.#account),
      ...more,
    };
  }

  /** What Twilio tells of a caller. */
  incoming(more) {
    const { TWILIO_ACCOUNT_SID, TWILIO_PHONE_NUMBER } = this.#account;
    return {
      AccountSid: TWILIO_ACCOUNT_SID,
      ApiVersion: '2010-04-01',
      CallSid: callSid(),
      CallStatus: 'ringing',
      Called: TWILIO_PHONE_NUMBER,
      Caller: customer(this.#account),
      Direction: 'inbound',
      From: customer(this.#account),
      FromCity: '',
      To: TWILIO_PHONE_NUMBER,
      ...more,
    };
  }

  /** What Twilio tells of a leg of the call. */
  leg(sid, status, sequence) {
    return {
      AccountSid: this.#account.TWILIO_ACCOUNT_SID,
      CallSid: sid,
      ParentCallSid: callSid(),
      CallStatus: status,
      CallbackSource: 'call-progress-events',
      Direction: 'outbound-dial',
      From: this.#account.TWILIO_PHONE_NUMBER,
      To: customer(this.#account),
      SequenceNumber: String(sequence),
      Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
    };
  }

  /** Whether `side` answers at all; any answer to a request that is none shows it. */
  async isUp(side) {
    const url = `http://127.0.0.1:${side.webhookPort}/api/calls/twiml`;
    return fetch(url, { method: 'POST' }).then(
      (response) => response.status >= 400 && response.status < 500,
      () => false,
    );
  }

  /** Lets an agent sign in and call somebody, so that what a server loads only then is loaded. */
  async begin(side) {
    const answers = [
      await this.token(side),
      await this.webhook(side, 'GET', '/api/calls/twiml', this.outgoing()),
    ];
    for (const { status, url } of answers) {
      if (status !== 200) throw new Error(`${side.name} answered ${new URL(url).pathname} with ${status}`);
    }
  }
}
