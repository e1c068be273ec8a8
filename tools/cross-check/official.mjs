// Twilio's Node package, asked line by line: a JSON question in, a JSON answer out.
//
// Run by the tests in src-tauri/crates/twilio/tests/official.

import { createInterface } from 'node:readline';
import twilio from 'twilio';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';

/** Every value of every name, as Express hands them over. */
function parameters(pairs) {
  const all = Object.create(null);
  for (const [name, value] of pairs) {
    if (name in all) all[name] = [all[name], value].flat();
    else all[name] = value;
  }
  return all;
}

function sign({ secret, url, params = [] }) {
  return { signature: getExpectedTwilioSignature(secret, url, parameters(params)) };
}

function check({ secret, url, params, body, signature }) {
  try {
    return {
      valid:
        body === undefined
          ? twilio.validateRequest(secret, signature, url, parameters(params))
          : twilio.validateRequestWithBody(secret, signature, url, body),
    };
  } catch (error) {
    // An address that `URL` does not read.
    return { valid: false, error: String(error) };
  }
}

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function nest(parent, { name, options, text, children }) {
  const named = Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]));
  const child = text === null ? parent[name](named) : parent[name](named, text);
  for (const call of children) nest(child, call);
}

function write({ calls }) {
  const response = new twilio.twiml.VoiceResponse();
  for (const call of calls) nest(response, call);
  return { xml: response.toString() };
}

const DO = { sign, check, write };

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const question = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(DO[question.do](question))}\n`);
}
