// A small stand-in for the program behind the page: the commands and events of
// src/host/bindings.ts over HTTP, and the signalling of a practice Twilio, both on one port. It
// carries no sound. The end-to-end tests run against the real program; this is for what they
// cannot do at will: odd moments of signalling, and any state of the page for a picture.
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { WebSocketServer } from 'ws';
import { PREVIEW, RULES } from '../unit/rules.js';
import { ACCOUNT, inspect, SNAPSHOT } from '../unit/stand_in.js';

const DIST = path.resolve(import.meta.dirname, '../../dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** What `createAnswer`, `createOffer` and the far end say: enough for the SDK, which reads little. */
export const SDP = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126',
  'c=IN IP4 127.0.0.1',
  'a=mid:0',
  'a=sendrecv',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:126 telephone-event/8000',
  '',
].join('\r\n');

/** Half a second of nothing, as a WAV file: 8 kHz, mono, 8 bits. */
const SILENCE = (() => {
  const samples = Buffer.alloc(4_000, 128);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(8_000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]).toString('base64');
})();

export const sid = (last) => `CA${String(last).padStart(32, '0')}`;

export const snapshot = (overrides = {}) => ({ ...structuredClone(SNAPSHOT), ...overrides });

export class Program extends EventEmitter {
  /** Every command but those of the number field and the statistics, as `[name, arguments]`. */
  commands = [];
  /** Every frame of signalling that the page sent. */
  frames = [];
  /** Whether an outgoing call is told that it rings, and whether it is answered. */
  rings = true;
  answers = true;
  /** The rule that takes a practice call; nothing where it rings. */
  taken = null;
  /** Whether a call gets the token with which it survives the loss of its signalling. */
  resumes = true;
  /** What the account page shows, and what disconnecting would do. */
  account = structuredClone(ACCOUNT);
  preview = { numbers: [], app: true, key: true };
  /** What came of a file. */
  imported = { filled: [], not_needed: [], problems: [] };
  /** The rules of calls, what is wrong with them, and what a call by them is like. */
  rules = structuredClone(RULES);
  problems = [];
  preview_lines = PREVIEW;
  /** Whether a call may be placed; it may, when absent. */
  permit = null;
  /** Commands that fail, by name. */
  refuse = new Map();
  #peers = 0;
  #calls = 0;
  #streams = new Set();
  #socket = null;
  #server = http.createServer((request, response) => void this.#serve(request, response));

  constructor(view = snapshot()) {
    super();
    this.view = view;
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
    this.view.signalling = { type: 'practice', host: `127.0.0.1:${this.port}` };
    this.url = `http://127.0.0.1:${this.port}/#secret=practice`;
    const sockets = new WebSocketServer({ server: this.#server, path: '/signal' });
    sockets.on('connection', (socket) => {
      this.#socket = socket;
      socket.on('message', (data) => this.#hear(String(data)));
    });
    this.close = async () => {
      for (const socket of sockets.clients) socket.terminate();
      for (const stream of this.#streams) stream.end();
      this.#server.closeAllConnections();
      await new Promise((done) => this.#server.close(done));
    };
    return this;
  }

  /** Sends an event of the program to the page. */
  event(event, data) {
    const line = JSON.stringify(data === undefined ? { event } : { event, data });
    for (const stream of this.#streams) stream.write(`${line}\n`);
  }

  /** The account changes. */
  tell(account) {
    this.account = account;
    this.event('account_changed', account);
  }

  /** Sends a frame of signalling to the page. */
  signal(type, payload = {}) {
    this.#socket?.send(JSON.stringify({ type, version: '1.6', payload }));
  }

  /** Somebody calls. Returns the SID of the call. */
  invite(from, { called = '+442079460018' } = {}) {
    this.#calls += 1;
    const callsid = sid(this.#calls);
    this.signal('invite', {
      callsid,
      sdp: SDP,
      parameters: {
        CallSid: callsid,
        From: from,
        To: 'client:albert',
        Params: new URLSearchParams({ called, parent: sid(900 + this.#calls) }).toString(),
      },
      ...(this.resumes ? { reconnect: 'resume' } : {}),
    });
    return callsid;
  }

  /** Drops the signalling as a broken network does. */
  cut() {
    this.#socket?.terminate();
  }

  /** Resolves with the first command of this name that `match` accepts, past or to come. */
  command(name, match = () => true) {
    return this.#first(this.commands, 'command', (c) => c[0] === name && match(c[1])).then(
      (c) => c[1],
    );
  }

  /** The same for a frame of signalling. */
  frame(type, match = () => true) {
    return this.#first(this.frames, 'frame', (f) => f.type === type && match(f.payload)).then(
      (f) => f.payload,
    );
  }

  /** The reports of a call, in their order, by the type of what happened. */
  get reports() {
    return this.commands.filter(([name]) => name === 'report_call').map(([, a]) => a.report);
  }

  async #first(past, event, match) {
    const limit = AbortSignal.timeout(10_000);
    for (;;) {
      const found = past.find(match);
      if (found) return found;
      await once(this, event, { signal: limit });
    }
  }

  async #serve(request, response) {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    if (pathname === '/host/events') {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write('\n');
      this.#streams.add(response);
      request.on('close', () => this.#streams.delete(response));
    } else if (pathname.startsWith('/host/')) {
      let body = '';
      for await (const chunk of request) body += chunk;
      const name = pathname.slice('/host/'.length);
      const args = JSON.parse(body);
      const refused = this.refuse.get(name);
      if (name !== 'inspect_number' && name !== 'voice_stats') {
        this.commands.push([name, args]);
        this.emit('command');
      }
      response.writeHead(refused ? 409 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(refused ?? (await this.#answer(name, args)) ?? null));
    } else {
      const file = pathname === '/' ? 'index.html' : pathname.slice(1);
      const content = await readFile(path.join(DIST, file)).catch(() => null);
      response.writeHead(content ? 200 : 404, {
        'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream',
        'Content-Security-Policy':
          "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' mediastream: blob: data:; connect-src 'self' ws://127.0.0.1:*",
      });
      response.end(content);
    }
  }

  #answer(name, args) {
    switch (name) {
      case 'snapshot':
        return this.view;
      case 'inspect_number':
        return inspect(args.text);
      case 'issue_access_token':
        return { token: 'practice-token', identity: 'albert', expires_at_ms: Date.now() + 3.6e6 };
      case 'account_status':
        return this.account;
      case 'preview_disconnect':
        return this.preview;
      case 'import_env':
        return this.imported;
      case 'prepare_call':
        return this.permit ?? { type: 'go', to: args.to };
      case 'practice_incoming':
        return this.taken;
      case 'rules':
        return this.rules;
      case 'check_fallback':
        return this.rules.fallback;
      case 'check_rules':
        return this.problems;
      case 'save_rules':
        this.rules = { ...this.rules, rules: args.rules };
        return null;
      case 'preview_incoming':
        return this.preview_lines;
      case 'microphones':
        return [
          { id: 'default', label: 'System default', kind: 'microphone' },
          { id: 'desk', label: 'Desk microphone', kind: 'microphone' },
        ];
      case 'record_greeting':
        return 1;
      case 'finish_greeting':
        return { wav_base64: SILENCE, duration_ms: 500, heard: true };
      case 'sound':
      case 'recording':
        return { wav_base64: SILENCE };
      case 'list_call_log':
        return this.older ?? { entries: [], next: null };
      case 'voice_create':
        this.#peers += 1;
        queueMicrotask(() => this.#gather(this.#peers));
        return this.#peers;
      case 'voice_create_offer':
      case 'voice_create_answer':
        return SDP;
      case 'voice_can_send_dtmf':
        return true;
      case 'voice_set_remote':
        setTimeout(() => this.#connect(args.peer), 20);
        return null;
      case 'voice_set_local':
        if (args.sdp_type === 'answer') setTimeout(() => this.#connect(args.peer), 20);
        return null;
      case 'voice_devices':
        return [
          { id: 'default', label: 'Microphone', kind: 'microphone' },
          { id: 'default', label: 'Speaker', kind: 'speaker' },
        ];
      case 'voice_stats':
        return stats();
      default:
        return null;
    }
  }

  /** Before the answer to `voice_create` has arrived, as the real engine may. */
  #gather(peer) {
    const candidate = 'candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host';
    this.event('voice', { type: 'ice_candidate', peer, candidate });
    this.event('voice', { type: 'gathering_complete', peer });
  }

  #connect(peer) {
    this.event('voice', { type: 'ice_connection_state', peer, state: 'connected' });
    this.event('voice', { type: 'connection_state', peer, state: 'connected' });
  }

  /** Loudness of the last peer that was made. */
  levels(input, output) {
    this.event('voice', { type: 'levels', peer: this.#peers, input, output });
  }

  #hear(data) {
    if (data === '\n') return;
    const frame = JSON.parse(data);
    this.frames.push(frame);
    this.emit('frame');
    const { type, payload } = frame;
    const resume = this.resumes ? { reconnect: 'resume' } : {};
    if (type === 'listen') {
      this.signal('connected', {
        region: 'US_EAST_VIRGINIA',
        token: { identity: 'albert', ttl: 3600 },
      });
    } else if (type === 'register') {
      this.signal(payload.media.audio ? 'ready' : 'offline');
    } else if (type === 'invite' && payload.reconnect) {
      this.signal('answer', { callsid: payload.callsid, sdp: SDP, ...resume });
    } else if (type === 'invite') {
      this.#calls += 1;
      const callsid = sid(this.#calls);
      if (this.rings) this.signal('ringing', { callsid });
      if (this.answers) this.signal('answer', { callsid, sdp: SDP, ...resume });
    } else if (type === 'answer') {
      this.signal('answer', { callsid: payload.callsid, ...resume });
    }
  }
}

let packets = 0;
function stats() {
  const timestamp = Date.now();
  packets += 50;
  return [
    { type: 'codec', id: 'c', timestamp, mimeType: 'audio/opus', clockRate: 48000 },
    {
      type: 'inbound-rtp',
      id: 'i',
      timestamp,
      kind: 'audio',
      codecId: 'c',
      jitter: 0.004,
      packetsLost: 0,
      packetsReceived: packets,
      bytesReceived: packets * 80,
      concealedSamples: 0,
      jitterBufferDelay: 0.02,
    },
    {
      type: 'outbound-rtp',
      id: 'o',
      timestamp,
      kind: 'audio',
      codecId: 'c',
      remoteId: 'r',
      packetsSent: packets,
      bytesSent: packets * 80,
    },
    { type: 'remote-inbound-rtp', id: 'r', timestamp, roundTripTime: 0.042, fractionLost: 0 },
  ];
}
