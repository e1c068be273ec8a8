import type { Choices, E164, PhoneNumberSid, TunnelChoice } from '../host/bindings';
import type { PlainKey } from '../i18n';

export type TunnelKind = TunnelChoice['type'];

/** The texts that a way from Twilio to this computer is described with. */
export type TunnelField =
  | 'url'
  | 'destination'
  | 'remote_port'
  | 'port'
  | 'key_file'
  | 'program'
  | 'arguments'
  | 'url_pattern';

/** The fields of each way, and which of them may stay empty; in the order in which they are asked for. */
export const TUNNELS: Record<
  TunnelKind,
  { fields: readonly TunnelField[]; optional: readonly TunnelField[]; token: boolean }
> = {
  fixed: { fields: ['url'], optional: [], token: false },
  cloudflared_named: { fields: ['url', 'program'], optional: ['program'], token: true },
  ngrok: { fields: ['url', 'program'], optional: ['url', 'program'], token: true },
  cloudflared_quick: { fields: ['program'], optional: ['program'], token: false },
  ssh: {
    fields: ['destination', 'remote_port', 'url', 'port', 'key_file', 'program'],
    optional: ['port', 'key_file', 'program'],
    token: false,
  },
  command: {
    fields: ['program', 'arguments', 'url', 'url_pattern'],
    optional: ['arguments', 'url', 'url_pattern'],
    token: false,
  },
};

export const TUNNEL_KINDS = Object.keys(TUNNELS) as readonly TunnelKind[];

type Texts = Readonly<Partial<Record<TunnelField, string>>>;

/** Choices as they stand on the page: what was typed for one way is kept while another is looked at. */
export interface Draft {
  ring: readonly PhoneNumberSid[];
  callerId: E164 | null;
  kind: TunnelKind;
  texts: Readonly<Partial<Record<TunnelKind, Texts>>>;
  fallback: string;
}

/** Something that is missing or wrong in a draft. */
export interface DraftProblem {
  field: TunnelField | 'caller_id' | 'fallback';
  message: PlainKey;
}

export function draftOf(choices: Choices): Draft {
  const { tunnel } = choices;
  return {
    ring: choices.ring,
    callerId: choices.caller_id,
    kind: tunnel.type,
    texts: { [tunnel.type]: textsOf(tunnel) },
    fallback: choices.fallback_url ?? '',
  };
}

function textsOf({ type, ...values }: TunnelChoice): Texts {
  const given: Partial<Record<TunnelField, string | number | readonly string[] | null>> = values;
  const texts: Partial<Record<TunnelField, string>> = {};
  for (const field of TUNNELS[type].fields) {
    const value = given[field] ?? '';
    texts[field] = Array.isArray(value) ? value.join('\n') : String(value);
  }
  return texts;
}

/** What stands in a field of the way that is picked. */
export function textOf(draft: Draft, field: TunnelField): string {
  return draft.texts[draft.kind]?.[field] ?? '';
}

export function withText(draft: Draft, field: TunnelField, text: string): Draft {
  const { kind, texts } = draft;
  return { ...draft, texts: { ...texts, [kind]: { ...texts[kind], [field]: text } } };
}

export function withRing(draft: Draft, sid: PhoneNumberSid, rings: boolean): Draft {
  const others = draft.ring.filter((other) => other !== sid);
  return { ...draft, ring: rings ? [...others, sid] : others };
}

/** What is to be corrected before the draft can be used; `numbers` says whether there is one to show. */
export function problemsOf(draft: Draft, numbers: boolean): DraftProblem[] {
  const problems: DraftProblem[] = [];
  if (numbers && draft.callerId === null) {
    problems.push({ field: 'caller_id', message: 'choose.callerIdNeeded' });
  }
  const { fields, optional } = TUNNELS[draft.kind];
  for (const field of fields) {
    const text = textOf(draft, field).trim();
    const message =
      text === '' ? (optional.includes(field) ? null : missing(field)) : bad(field, text);
    if (message) problems.push({ field, message });
  }
  if (
    draft.kind === 'command' &&
    !textOf(draft, 'url').trim() &&
    !textOf(draft, 'url_pattern').trim()
  )
    problems.push({ field: 'url', message: 'tunnel.urlOrPattern' });
  const fallback = draft.fallback.trim();
  if (fallback !== '' && !isAddress(fallback)) {
    problems.push({ field: 'fallback', message: 'tunnel.badUrl' });
  }
  return problems;
}

function missing(field: TunnelField): PlainKey {
  switch (field) {
    case 'url':
      return 'tunnel.needUrl';
    case 'destination':
      return 'tunnel.needDestination';
    case 'remote_port':
      return 'tunnel.needPort';
    default:
      return 'tunnel.needProgram';
  }
}

function bad(field: TunnelField, text: string): PlainKey | null {
  switch (field) {
    case 'url':
      return isAddress(text) ? null : 'tunnel.badUrl';
    case 'port':
    case 'remote_port':
      return portOf(text) === null ? 'tunnel.badPort' : null;
    case 'destination':
      return /^[^\s-]\S*$/.test(text) ? null : 'tunnel.needDestination';
    case 'url_pattern':
      return isPattern(text) ? null : 'tunnel.badPattern';
    default:
      return null;
  }
}

/** Twilio asks over TLS only; on this computer itself, where practice is, there is nothing to hide. */
function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, search, hash } = new URL(text);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  const secure = protocol === 'https:' || (protocol === 'http:' && loopback);
  return secure && username === '' && search === '' && hash === '';
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    // What Rust's expressions have beyond this page's, such as inline flags, is the program's to judge.
    return text.startsWith('(?');
  }
}

function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

/** The choices that a draft without problems stands for. */
export function choicesOf(draft: Draft): Choices {
  return {
    caller_id: draft.callerId,
    ring: [...draft.ring],
    tunnel: tunnelOf(draft),
    fallback_url: orNull(draft.fallback),
  };
}

function tunnelOf(draft: Draft): TunnelChoice {
  const text = (field: TunnelField): string => textOf(draft, field).trim();
  const given = (field: TunnelField): string | null => orNull(text(field));
  switch (draft.kind) {
    case 'fixed':
      return { type: 'fixed', url: text('url') };
    case 'cloudflared_named':
      return { type: 'cloudflared_named', url: text('url'), program: given('program') };
    case 'cloudflared_quick':
      return { type: 'cloudflared_quick', program: given('program') };
    case 'ngrok':
      return { type: 'ngrok', url: given('url'), program: given('program') };
    case 'ssh':
      return {
        type: 'ssh',
        destination: text('destination'),
        port: portOf(text('port')),
        key_file: given('key_file'),
        remote_port: portOf(text('remote_port')) ?? 0,
        url: text('url'),
        program: given('program'),
      };
    case 'command':
      return {
        type: 'command',
        program: text('program'),
        // One a line, so that an argument may contain spaces.
        arguments: text('arguments')
          .split('\n')
          .map((argument) => argument.trim())
          .filter((argument) => argument !== ''),
        url_pattern: given('url_pattern'),
        url: given('url'),
      };
  }
}

function orNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
