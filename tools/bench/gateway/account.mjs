// The Twilio account both servers are configured with. It exists nowhere: its names are counted, its
// secrets are new in every run.

import { randomBytes } from 'node:crypto';

const sid = (prefix) => `${prefix}${'1'.padStart(32, '0')}`;

/** The environment the servers and the load tool read, by the names of the usual set-up guide. */
export function account() {
  return {
    TWILIO_ACCOUNT_SID: sid('AC'),
    TWILIO_AUTH_TOKEN: randomBytes(16).toString('hex'),
    TWILIO_API_KEY: sid('SK'),
    TWILIO_API_SECRET: randomBytes(16).toString('hex'),
    TWILIO_TWIML_APP_SID: sid('AP'),
    // Reserved for fiction.
    TWILIO_PHONE_NUMBER: '+12025550100',
    // Never asked: it is what Twilio would have signed.
    BACKEND_URL: 'https://phone.example',
    AGENT_API_TOKEN: randomBytes(16).toString('hex'),
  };
}

/** Who calls. */
export const AGENT = 'albert';
/** Whom; reserved for fiction too. */
export const CUSTOMER = '+12025550123';
