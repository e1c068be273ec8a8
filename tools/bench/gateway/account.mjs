// The Twilio account both servers are configured with. It exists nowhere: its names are counted, its
// secrets are new in every run.

import { randomBytes } from 'node:crypto';

const sid = (prefix) => `${prefix}${'1'.padStart(32, '0')}`;

/** Ours, reserved for fiction: in the United States, and in the United Kingdom, whose numbers take metadata to read. */
const NUMBERS = { home: '+12025550100', abroad: '+442079460100' };

/**
 * The environment the servers and the load tool read, by the names of the usual set-up guide; the number
 * is one of `NUMBERS`.
 */
export function account(where = 'home') {
  return {
    TWILIO_ACCOUNT_SID: sid('AC'),
    TWILIO_AUTH_TOKEN: randomBytes(16).toString('hex'),
    TWILIO_API_KEY: sid('SK'),
    TWILIO_API_SECRET: randomBytes(16).toString('hex'),
    TWILIO_TWIML_APP_SID: sid('AP'),
    TWILIO_PHONE_NUMBER: NUMBERS[where],
    // Never asked: it is what Twilio would have signed.
    BACKEND_URL: 'https://phone.example',
    AGENT_API_TOKEN: randomBytes(16).toString('hex'),
  };
}

/** Who calls. */
export const AGENT = 'albert';
/** Whom: a number beside ours, reserved for fiction too. */
export const customer = ({ TWILIO_PHONE_NUMBER }) => TWILIO_PHONE_NUMBER.replace(/..$/, '23');
