#!/usr/bin/env node
// Cuts Twilio's OpenAPI files down to what the REST client uses, and to what else the simulator
// answers, for the contract tests:
//
//     node tools/openapi-extract.mjs CLONE [FOLDER]
//
// CLONE is a git clone of https://github.com/twilio/twilio-oai; its checked-out commit is taken.
// What is kept, the operations and the schemas they refer to, is kept as it is. The licence and the
// commit are written beside it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const account = '/2010-04-01/Accounts/{AccountSid}';
const conference = `${account}/Conferences/{ConferenceSid}`;

/** What the client asks for, by file: path and methods. */
const USED = {
  twilio_api_v2010: {
    '/2010-04-01/Accounts/{Sid}.json': ['get'],
    [`${account}/Balance.json`]: ['get'],
    [`${account}/Keys.json`]: ['get', 'post'],
    [`${account}/Keys/{Sid}.json`]: ['delete'],
    [`${account}/Applications.json`]: ['get', 'post'],
    [`${account}/Applications/{Sid}.json`]: ['get', 'post', 'delete'],
    [`${account}/IncomingPhoneNumbers.json`]: ['get'],
    [`${account}/IncomingPhoneNumbers/{Sid}.json`]: ['get', 'post'],
    [`${account}/OutgoingCallerIds.json`]: ['get', 'post'],
    [`${account}/OutgoingCallerIds/{Sid}.json`]: ['delete'],
    [`${account}/Calls.json`]: ['get', 'post'],
    [`${account}/Calls/{Sid}.json`]: ['get', 'post'],
    [`${account}/Calls/{CallSid}/Events.json`]: ['get'],
    [`${account}/Calls/{CallSid}/Notifications.json`]: ['get'],
    [`${account}/Calls/{CallSid}/Recordings.json`]: ['post'],
    [`${account}/Calls/{CallSid}/Recordings/{Sid}.json`]: ['post'],
    [`${account}/Notifications.json`]: ['get'],
    [`${account}/Recordings.json`]: ['get'],
    [`${account}/Recordings/{Sid}.json`]: ['get', 'delete'],
    [`${account}/Recordings/{RecordingSid}/Transcriptions.json`]: ['get'],
    [`${account}/Conferences.json`]: ['get'],
    [`${account}/Conferences/{Sid}.json`]: ['post'],
    [`${conference}/Participants.json`]: ['get', 'post'],
    [`${conference}/Participants/{CallSid}.json`]: ['post', 'delete'],
    [`${account}/Queues.json`]: ['get'],
    [`${account}/Queues/{QueueSid}/Members.json`]: ['get'],
    [`${account}/Queues/{QueueSid}/Members/{CallSid}.json`]: ['post'],
    [`${account}/Usage/Records/Today.json`]: ['get'],
    [`${account}/Usage/Records/Yesterday.json`]: ['get'],
    [`${account}/Usage/Records/ThisMonth.json`]: ['get'],
    [`${account}/Usage/Records/LastMonth.json`]: ['get'],
    [`${account}/Usage/Records/AllTime.json`]: ['get'],
  },
  twilio_voice_v1: {
    '/v1/DialingPermissions/Countries': ['get'],
    '/v1/DialingPermissions/Countries/{IsoCode}': ['get'],
    '/v1/DialingPermissions/BulkCountryUpdates': ['post'],
  },
  twilio_monitor_v1: { '/v1/Alerts': ['get'], '/v1/Alerts/{Sid}': ['get'] },
  twilio_pricing_v2: {
    '/v2/Voice/Numbers/{DestinationNumber}': ['get'],
    '/v2/Voice/Countries/{IsoCountry}': ['get'],
  },
};

/** What the simulator answers beyond that, in the API of 2010. */
const SIMULATED = {
  [`${account}/Calls/{CallSid}/Recordings.json`]: ['get'],
  [`${account}/Calls/{CallSid}/Recordings/{Sid}.json`]: ['get', 'delete'],
  [`${account}/Conferences/{Sid}.json`]: ['get'],
  [`${conference}/Participants/{CallSid}.json`]: ['get'],
  [`${conference}/Recordings.json`]: ['get'],
  [`${conference}/Recordings/{Sid}.json`]: ['get', 'post', 'delete'],
  [`${account}/Queues.json`]: ['post'],
  [`${account}/Queues/{Sid}.json`]: ['get', 'post', 'delete'],
  [`${account}/Queues/{QueueSid}/Members/{CallSid}.json`]: ['get'],
  [`${account}/Recordings/{RecordingSid}/Transcriptions/{Sid}.json`]: ['get'],
  [`${account}/Transcriptions.json`]: ['get'],
  [`${account}/Transcriptions/{Sid}.json`]: ['get'],
};

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/** The names of the schemas `value` refers to, directly. */
function references(value, found = new Set()) {
  if (Array.isArray(value)) {
    for (const item of value) references(item, found);
  } else if (value !== null && typeof value === 'object') {
    const name = /^#\/components\/schemas\/(.+)$/.exec(value.$ref ?? '')?.[1];
    if (name) found.add(name);
    for (const item of Object.values(value)) references(item, found);
  }
  return found;
}

/** `specification` with the operations of `used` and the schemas they need. */
function extract(specification, used) {
  const paths = {};
  for (const [path, methods] of Object.entries(used)) {
    const item = specification.paths[path];
    const missing = methods.filter((method) => !item?.[method]);
    if (missing.length > 0) throw new Error(`${path} has no ${missing.join(', ')}`);
    paths[path] = Object.fromEntries(
      Object.entries(item).filter(([key]) => !METHODS.has(key) || methods.includes(key)),
    );
  }
  const schemas = {};
  const waiting = [...references(paths)];
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (name in schemas) continue;
    schemas[name] = specification.components.schemas[name];
    waiting.push(...references(schemas[name]));
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { openapi, info, servers } = specification;
  return { openapi, info, servers, paths, components: { schemas: sorted } };
}

const [clone, folder = 'src-tauri/crates/twilio/tests/openapi'] = process.argv.slice(2);
if (!clone) {
  console.error('Usage: node tools/openapi-extract.mjs CLONE [FOLDER]');
  process.exit(2);
}
const git = (...words) => execFileSync('git', ['-C', clone, ...words], { maxBuffer: 1 << 28 }).toString();
const commit = git('rev-parse', 'HEAD').trim();
mkdirSync(folder, { recursive: true });
const cut = (file, used, name) => {
  const whole = JSON.parse(git('show', `HEAD:spec/json/${file}.json`));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(extract(whole, used), null, 1)}\n`);
};
for (const [file, used] of Object.entries(USED)) cut(file, used, file);
cut('twilio_api_v2010', SIMULATED, 'simulated_api_v2010');
writeFileSync(join(folder, 'LICENSE'), git('show', 'HEAD:LICENSE'));
writeFileSync(
  join(folder, 'SOURCE.md'),
  `Parts of Twilio's OpenAPI files, https://github.com/twilio/twilio-oai, commit
${commit}, cut by \`tools/openapi-extract.mjs\` to the requests of
\`dialer_twilio::rest\` and, in \`simulated_…\`, of the simulator, and otherwise unchanged. MIT licence: \`LICENSE\`.
`,
);
