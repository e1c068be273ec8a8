// A Twilio dialer's backend as its usual guide has it: Express and Twilio's own library, signature
// check on. `./dev bench gateway` measures dialer-server against it, so it is written as someone who
// knows both libraries would write it, and emits the document dialer-server emits.

import express from 'express';
import twilio from 'twilio';

const {
  TWILIO_ACCOUNT_SID,
  TWILIO_API_KEY,
  TWILIO_API_SECRET,
  TWILIO_PHONE_NUMBER,
  TWILIO_TWIML_APP_SID,
  BACKEND_URL,
  PORT,
} = process.env;
const { AccessToken } = twilio.jwt;
const { VoiceResponse } = twilio.twiml;

const backend = new URL(BACKEND_URL);
// Behind a proxy `Host` and protocol are the proxy's; Twilio signed for the public address. The
// library takes the Auth Token from TWILIO_AUTH_TOKEN.
const onlyTwilio = twilio.webhook({
  validate: true,
  protocol: backend.protocol.replace(':', ''),
  host: backend.host,
});
const statusCallback = new URL('/api/calls/status', backend).href;
const after = (purpose) => new URL(`/api/calls/dialled/${purpose}`, backend).href;
const statusCallbackEvent = ['initiated', 'ringing', 'answered', 'completed'];
const telephoneNumber = /^\+[1-9]\d{6,14}$/;

const app = express();
app.disable('x-powered-by');
app.use(express.urlencoded({ extended: false }));
app.use(express.json());

/** Who has asked for a token, and can be rung. */
const agents = new Set();

/** What Twilio is to do with a call. */
function voice(request, response) {
  const { To, From, CallSid } = request.method === 'GET' ? request.query : request.body;
  const twiml = new VoiceResponse();
  const ours = From === TWILIO_PHONE_NUMBER || From?.startsWith('client:');
  if (ours && telephoneNumber.test(To ?? '')) {
    const dial = twiml.dial({
      callerId: TWILIO_PHONE_NUMBER,
      answerOnBridge: true,
      timeout: 25,
      timeLimit: 14400,
      action: after('outgoing'),
    });
    dial.number({ statusCallback, statusCallbackEvent }, To);
  } else if (!ours && agents.size > 0) {
    const dial = twiml.dial({
      answerOnBridge: true,
      timeout: 25,
      timeLimit: 14400,
      action: after('ring'),
    });
    for (const agent of agents) {
      const client = dial.client({ statusCallback, statusCallbackEvent });
      client.identity(agent);
      client.parameter({ name: 'parent', value: CallSid });
      client.parameter({ name: 'called', value: To });
    }
  } else {
    twiml.say('The number you have dialled is not valid.');
    twiml.hangup();
  }
  response.type('text/xml').send(twiml.toString());
}

app.get('/api/calls/twiml', onlyTwilio, voice);
app.post('/api/calls/twiml', onlyTwilio, voice);

app.post('/api/calls/status', onlyTwilio, (_request, response) => {
  response.sendStatus(204);
});

app.post('/api/calls/token', (request, response) => {
  const identity = request.body?.agentId;
  if (typeof identity !== 'string' || identity === '') {
    response.status(400).json({ error: 'agentId is missing' });
    return;
  }
  const ttl = 3600;
  const token = new AccessToken(TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET, {
    identity,
    ttl,
  });
  token.addGrant(
    new AccessToken.VoiceGrant({
      outgoingApplicationSid: TWILIO_TWIML_APP_SID,
      incomingAllow: true,
    }),
  );
  agents.add(identity);
  response.json({ token: token.toJwt(), identity, expiresAt: Math.floor(Date.now() / 1000) + ttl });
});

const server = app.listen(Number(PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
