// What the two proxy configurations let through, asked of the proxies themselves.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Listens on a free port of 127.0.0.1. */
async function listen(server) {
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

async function freePort() {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sends a request whose target goes out byte by byte, as `fetch` would not. */
function ask(port, target, { method = 'GET', body = '', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path: target,
        method,
        headers: { ...headers, 'content-length': body.length },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    // A proxy that has seen enough may close before it has read everything.
    asked.on('error', reject).end(body);
  });
}

/** The environment and configuration of each proxy, for `port` in front of `upstream`. */
const proxies = {
  Caddy(folder, port, upstream) {
    const env = {
      PATH: process.env.PATH,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      BACKEND_URL: `http://127.0.0.1:${port}`,
      WEBHOOK_LISTEN: `127.0.0.1:${upstream}`,
    };
    const args = ['run', '--config', join(here, 'Caddyfile'), '--adapter', 'caddyfile'];
    return ['caddy', args, env];
  },
  nginx(folder, port, upstream) {
    // Everything but the certificate and the addresses is the file as it stands.
    const server = readFileSync(join(here, 'nginx.conf'), 'utf8')
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
      .replace(/^ *ssl_certificate(_key)? .*$/gm, '')
      .replace('/var/log/nginx/dialer-server.log', 'stderr')
      .replace('127.0.0.1:3002', `127.0.0.1:${upstream}`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const config = [
      `pid ${folder}/nginx.pid;`,
      'error_log stderr;',
      'daemon off;',
      'worker_processes 1;',
      'events {}',
      'http {',
      ...paths.map((name) => `${name}_temp_path ${folder}/${name};`),
      server,
      '}',
    ].join('\n');
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config);
    const env = { PATH: `${process.env.PATH}:/usr/sbin` };
    return ['nginx', ['-c', file, '-p', folder, '-e', 'stderr'], env];
  },
};

for (const [name, configure] of Object.entries(proxies)) {
  describe(name, () => {
    let folder,
      upstream,
      proxy,
      port,
      said = '';
    const seen = [];

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'proxy-'));
      upstream = createServer((received, response) => {
        let body = '';
        received.setEncoding('utf8').on('data', (piece) => (body += piece));
        received.on('end', () => {
          const { method, url, headers } = received;
          seen.push({ method, url, body, signature: headers['x-twilio-signature'] });
          response.writeHead(200).end('from the server');
        });
        received.on('error', () => {});
      });
      const behind = await listen(upstream);
      port = await freePort();
      const [program, args, env] = configure(folder, port, behind);
      proxy = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [proxy.stdout, proxy.stderr]) stream.on('data', (piece) => (said += piece));
      const ended = new Promise((resolve) => {
        proxy.once('error', (error) => resolve(error.message));
        proxy.once('exit', (code) => resolve(`it ended with ${code}`));
      });
      const deadline = Date.now() + 20_000;
      const answers = () =>
        new Promise((resolve) => {
          const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
          socket.on('connect', () => socket.destroy());
        });
      while (!(await answers())) {
        const how = await Promise.race([ended, sleep(50)]);
        assert.ok(how === undefined && Date.now() < deadline, `${name} did not start: ${how ?? ''}\n${said}`);
      }
    });

    /** Ends the proxy; then everything it wrote has been read. */
    async function end() {
      const closed = new Promise((resolve) => proxy.once('close', resolve));
      if (proxy.exitCode === null && proxy.kill('SIGTERM')) await closed;
    }

    after(async () => {
      await end();
      upstream.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('a webhook goes on as it came', async () => {
      const target = '/api/calls/twiml?To=%2B12025550123&From=client%3aalbert&Note=a%20b+c%2fd&Empty=';
      const headers = { 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' };
      assert.equal((await ask(port, target, { headers })).text, 'from the server');
      assert.deepEqual(seen.at(-1), {
        method: 'GET',
        url: target,
        body: '',
        signature: headers['x-twilio-signature'],
      });
      const body = 'CallSid=CA0&Called=&To=%2B12025550123';
      await ask(port, '/api/calls/status', { method: 'POST', body, headers });
      const { url, body: arrived } = seen.at(-1);
      assert.deepEqual([url, arrived], ['/api/calls/status', body]);
    });

    test('the proof of the address goes on', async () => {
      assert.equal((await ask(port, '/.well-known/kennex-dialer/abc123')).status, 200);
      assert.equal(seen.at(-1).url, '/.well-known/kennex-dialer/abc123');
    });

    test('nothing else does', async () => {
      const before = seen.length;
      const others = [
        '/',
        '/healthz',
        '/metrics',
        '/readyz',
        '/api',
        '/api/callsx',
        '/api/other',
        '/.env',
        '/.well-known/acme',
      ];
      for (const target of others) {
        assert.equal((await ask(port, target)).status, 404, target);
      }
      // What a server might take for a way out of the folder that is let through.
      for (const target of ['/api/calls/../../metrics', '/api/calls/%2e%2e/%2e%2e/metrics']) {
        await ask(port, target);
      }
      const arrived = seen.slice(before).map(({ url }) => url);
      assert.deepEqual(
        arrived.filter((url) => !url.startsWith('/api/calls/')),
        [],
      );
    });

    test('a body above 64 KiB is refused', async () => {
      const before = seen.length;
      const { status } = await ask(port, '/api/calls/twiml', { method: 'POST', body: 'x'.repeat(70_000) });
      // Caddy notices while it passes the body on, which then breaks off.
      assert.ok(status === 413 || status === 502, String(status));
      assert.equal(seen.length, before);
    });

    test('no telephone number is written down, even when the server is gone', async () => {
      const target = '/api/calls/twiml?To=%2B12025550199';
      assert.equal((await ask(port, target)).status, 200);
      upstream.closeAllConnections();
      await new Promise((resolve) => upstream.close(resolve));
      assert.equal((await ask(port, target)).status, 502);
      await end();
      assert.doesNotMatch(said, /2025550199/);
    });
  });
}
