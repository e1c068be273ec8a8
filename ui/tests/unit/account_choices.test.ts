import { describe, expect, it } from 'vitest';
import {
  choicesOf,
  draftOf,
  problemsOf,
  TUNNEL_KINDS,
  textOf,
  withRing,
  withText,
  type Draft,
  type TunnelField,
} from '../../src/account/draft';
import type { Choices, TunnelChoice } from '../../src/host/bindings';

const choices = (tunnel: TunnelChoice): Choices => ({
  caller_id: '+12025550143',
  ring: ['PN1'],
  tunnel,
  fallback_url: 'https://handler.twilio.com/twiml/EH1',
});

const tunnels: TunnelChoice[] = [
  { type: 'fixed', url: 'https://phone.example.com/kennex' },
  { type: 'cloudflared_named', url: 'https://phone.example.com', program: '/opt/cloudflared' },
  { type: 'cloudflared_quick', program: null },
  { type: 'ngrok', url: null, program: null },
  { type: 'ngrok', url: 'https://name.ngrok-free.dev', program: 'ngrok' },
  {
    type: 'ssh',
    destination: 'me@host.example.com',
    port: 2222,
    key_file: '/home/me/.ssh/id',
    remote_port: 3002,
    url: 'https://host.example.com',
    program: null,
  },
  {
    type: 'command',
    program: 'bore',
    arguments: ['local', '{port}', '--to', 'a host'],
    url_pattern: 'listening at (\\S+)',
    url: null,
  },
];

describe('choices', () => {
  it.each(tunnels)('of the way $type come back from the page as they went in', (tunnel) => {
    const before = choices(tunnel);
    const draft = draftOf(before);
    expect(problemsOf(draft, true)).toEqual([]);
    expect(choicesOf(draft)).toEqual(before);
  });

  it('knows every way', () => {
    expect([...new Set(tunnels.map(({ type }) => type))].sort()).toEqual([...TUNNEL_KINDS].sort());
  });

  it('keeps what was typed for one way while another is looked at', () => {
    let draft = draftOf(choices({ type: 'fixed', url: 'https://a.example.com' }));
    draft = withText({ ...draft, kind: 'ssh' }, 'url', 'https://b.example.com');
    expect(textOf({ ...draft, kind: 'fixed' }, 'url')).toBe('https://a.example.com');
    expect(textOf(draft, 'url')).toBe('https://b.example.com');
  });

  it('rings where it is ticked, each number once', () => {
    const draft = draftOf(choices({ type: 'cloudflared_quick', program: null }));
    expect(withRing(withRing(draft, 'PN2', true), 'PN2', true).ring).toEqual(['PN1', 'PN2']);
    expect(withRing(draft, 'PN1', false).ring).toEqual([]);
  });

  it('trims what is typed, and leaves out what is empty', () => {
    let draft = draftOf(choices({ type: 'ngrok', url: null, program: null }));
    draft = withText(withText(draft, 'url', ' https://x.ngrok.app '), 'program', '  ');
    expect(choicesOf({ ...draft, fallback: ' ' })).toMatchObject({
      tunnel: { type: 'ngrok', url: 'https://x.ngrok.app', program: null },
      fallback_url: null,
    });
  });
});

describe('a draft', () => {
  const fixed = draftOf(choices({ type: 'fixed', url: '' }));
  const fields = (draft: Draft, numbers = true): string[] =>
    problemsOf(draft, numbers).map(({ field, message }) => `${field} ${message}`);

  it('says what is missing', () => {
    expect(fields(fixed)).toEqual(['url tunnel.needUrl']);
    expect(fields({ ...fixed, kind: 'cloudflared_quick' })).toEqual([]);
    expect(fields({ ...fixed, kind: 'ngrok' })).toEqual([]);
    expect(fields({ ...fixed, kind: 'ssh' })).toEqual([
      'destination tunnel.needDestination',
      'remote_port tunnel.needPort',
      'url tunnel.needUrl',
    ]);
    expect(fields({ ...fixed, kind: 'command' })).toEqual([
      'program tunnel.needProgram',
      'url tunnel.urlOrPattern',
    ]);
  });

  it('needs a number to show where there is one', () => {
    const draft: Draft = { ...fixed, kind: 'cloudflared_quick', callerId: null };
    expect(fields(draft)).toEqual(['caller_id choose.callerIdNeeded']);
    expect(fields(draft, false)).toEqual([]);
  });

  it.each([
    ['https://phone.example.com', true],
    ['https://phone.example.com/a/path', true],
    ['http://127.0.0.1:3002', true],
    ['http://phone.example.com', false],
    ['phone.example.com', false],
    ['https://user@phone.example.com', false],
    ['https://phone.example.com/?a=b', false],
    ['https://phone.example.com/#a', false],
    ['ftp://127.0.0.1', false],
  ])('takes the address %s: %s', (url, good) => {
    expect(fields(withText(fixed, 'url', url))).toEqual(good ? [] : ['url tunnel.badUrl']);
    const fallback = { ...fixed, kind: 'cloudflared_quick', fallback: url } as const;
    expect(fields(fallback)).toEqual(good ? [] : ['fallback tunnel.badUrl']);
  });

  it.each<[TunnelField, string, string]>([
    ['remote_port', '0', 'tunnel.badPort'],
    ['remote_port', '65536', 'tunnel.badPort'],
    ['remote_port', '3e3', 'tunnel.badPort'],
    ['port', '22a', 'tunnel.badPort'],
    ['destination', '-oProxyCommand=x', 'tunnel.needDestination'],
    ['destination', 'a host', 'tunnel.needDestination'],
  ])('does not take %s %s', (field, text, message) => {
    expect(fields(withText({ ...fixed, kind: 'ssh' }, field, text))).toContain(
      `${field} ${message}`,
    );
  });

  it('does not take a pattern that cannot be read', () => {
    const draft = withText({ ...fixed, kind: 'command' }, 'url_pattern', '(https://\\S+');
    expect(fields(draft)).toContain('url_pattern tunnel.badPattern');
    expect(fields(withText(draft, 'url_pattern', '(?i)url: (\\S+)'))).not.toContain(
      'url_pattern tunnel.badPattern',
    );
  });
});
