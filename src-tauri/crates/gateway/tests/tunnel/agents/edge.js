// What the recorded agents share: the provider's side of a tunnel. It ends TLS for the public name and
// passes requests on to the program's port, as the providers do. Behaviour is read anew from agent.json
// beside this file at every request, so that a test can change it while the agent runs:
//
//   address   the loopback address of this agent's public side, port 8443
//   mode      absent, or "page": an error page instead of the webhook server; "reconnecting"
//   name      the public host name
//   token     the token that is accepted
//   code      an error code that ngrok's error page carries

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');

const folder = __dirname;

const settings = () => JSON.parse(fs.readFileSync(path.join(folder, 'agent.json'), 'utf8'));

// Serves the public side; calls `ready` once it does.
const open = (targetPort, ready) => {
  const secrets = {
    cert: fs.readFileSync(path.join(folder, 'chain.pem')),
    key: fs.readFileSync(path.join(folder, 'key.pem')),
  };
  const edge = https.createServer(secrets, (request, response) => {
    const { mode, code } = settings();
    if (mode === 'page') {
      const headers = { 'content-type': 'text/html' };
      if (code) headers['ngrok-error-code'] = code;
      response.writeHead(502, headers).end(`<!doctype html><title>Error</title>${code ?? ''}`);
      return;
    }
    if (mode === 'reconnecting') {
      response.writeHead(530).end();
      return;
    }
    const onward = http.request(
      { host: '127.0.0.1', port: targetPort, method: request.method, path: request.url, headers: request.headers },
      (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)),
    );
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  edge.listen(8443, settings().address, ready);
};

// Serves the program's own interface on a free port; calls `ready` with where it is.
const interfaceOn = (answer, ready) => {
  const server = http.createServer((request, response) => {
    const [status, body] = answer(request.url, settings());
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1', () => ready(`127.0.0.1:${server.address().port}`));
};

// Leaves the process id for the test, and a line for every start.
const sign = () => {
  fs.writeFileSync(path.join(folder, 'agent.pid'), String(process.pid));
  fs.appendFileSync(path.join(folder, 'starts'), `${process.pid}\n`);
};

module.exports = { interfaceOn, open, settings, sign };
