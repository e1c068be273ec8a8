import type { Strength } from '../../account/passphrase';
import { TUNNELS, type TunnelField, type TunnelKind } from '../../account/draft';
import type {
  AccountKind,
  CredentialField,
  Repair,
  SigningState,
  StepState,
  TunnelLight,
} from '../../host/bindings';
import { t, type PlainKey } from '../../i18n';

/** What things to be entered look like, in any language. */
export const examples = {
  accountSid: 'AC…',
  keySid: 'SK…',
  appSid: 'AP…',
  number: '+1 202 555 0100',
  address: 'https://phone.example.com',
  ngrok: 'https://name.ngrok-free.dev',
  bin: 'https://handler.twilio.com/twiml/EH…',
  host: 'user@host.example.com',
  keyFile: '/home/me/.ssh/id_ed25519',
};

export const fieldNames: Record<CredentialField, PlainKey> = {
  account_sid: 'credential.account_sid',
  auth_token: 'credential.auth_token',
  api_key: 'credential.api_key',
  api_secret: 'credential.api_secret',
  phone_number: 'credential.phone_number',
  twiml_app_sid: 'credential.twiml_app_sid',
  backend_url: 'credential.backend_url',
  tunnel_token: 'credential.tunnel_token',
};

export const kindNames: Record<AccountKind, PlainKey> = {
  trial: 'kind.trial',
  full: 'kind.full',
};

export const strengthWords: Record<Strength, PlainKey> = {
  short: 'strength.short',
  weak: 'strength.weak',
  fair: 'strength.fair',
  strong: 'strength.strong',
};

export const stepWords: Record<StepState, PlainKey> = {
  pending: 'step.pending',
  running: 'step.running',
  waiting: 'step.waiting',
  done: 'step.done',
  failed: 'step.failed',
};

export const tunnelWords: Record<TunnelLight, PlainKey> = {
  off: 'tunnelLight.off',
  starting: 'tunnelLight.starting',
  up: 'tunnelLight.up',
  restoring: 'tunnelLight.restoring',
  stopped: 'tunnelLight.stopped',
};

export const repairWords: Record<Repair, PlainKey> = {
  restart_tunnel: 'repair.restart_tunnel',
  change_tunnel: 'repair.change_tunnel',
  run_set_up: 'repair.run_set_up',
  choose_numbers: 'repair.choose_numbers',
  enter_auth_token: 'repair.enter_auth_token',
  unlock_vault: 'repair.unlock_vault',
};

/** Each way from Twilio to this computer: its name, what it means, and the program that it needs. */
export const tunnelTexts: Record<
  TunnelKind,
  { name: PlainKey; about: PlainKey; program: string | null }
> = {
  fixed: { name: 'tunnel.fixed', about: 'tunnel.fixedAbout', program: null },
  cloudflared_named: {
    name: 'tunnel.cloudflaredNamed',
    about: 'tunnel.cloudflaredNamedAbout',
    program: 'cloudflared',
  },
  ngrok: { name: 'tunnel.ngrok', about: 'tunnel.ngrokAbout', program: 'ngrok' },
  cloudflared_quick: {
    name: 'tunnel.cloudflaredQuick',
    about: 'tunnel.cloudflaredQuickAbout',
    program: 'cloudflared',
  },
  ssh: { name: 'tunnel.ssh', about: 'tunnel.sshAbout', program: 'ssh' },
  command: { name: 'tunnel.command', about: 'tunnel.commandAbout', program: null },
};

interface FieldTexts {
  label: string;
  about?: string;
  placeholder?: string;
  inputmode?: 'url' | 'numeric';
}

/** A field of one of the ways, in the words that fit that way. */
export function tunnelField(kind: TunnelKind, field: TunnelField): FieldTexts {
  const texts = fieldTexts(kind, field);
  const optional = TUNNELS[kind].optional.includes(field);
  return optional ? { ...texts, label: t('tunnel.optional', { name: texts.label }) } : texts;
}

function fieldTexts(kind: TunnelKind, field: TunnelField): FieldTexts {
  switch (field) {
    case 'url':
      return urlTexts(kind);
    case 'destination':
      return {
        label: t('tunnel.destination'),
        about: t('tunnel.destinationAbout'),
        placeholder: examples.host,
      };
    case 'remote_port':
      return {
        label: t('tunnel.remotePort'),
        about: t('tunnel.remotePortAbout'),
        placeholder: '3002',
        inputmode: 'numeric',
      };
    case 'port':
      return { label: t('tunnel.port'), placeholder: '22', inputmode: 'numeric' };
    case 'key_file':
      return { label: t('tunnel.keyFile'), placeholder: examples.keyFile };
    case 'program':
      return kind === 'command'
        ? { label: t('tunnel.commandProgram') }
        : { label: t('tunnel.program'), about: t('tunnel.programAbout') };
    case 'arguments':
      return {
        label: t('tunnel.arguments'),
        about: t('tunnel.argumentsAbout', { port: '{port}' }),
      };
    case 'url_pattern':
      return { label: t('tunnel.urlPattern'), about: t('tunnel.urlPatternAbout') };
  }
}

function urlTexts(kind: TunnelKind): FieldTexts {
  const texts = { placeholder: examples.address, inputmode: 'url' } as const;
  switch (kind) {
    case 'ngrok':
      return {
        ...texts,
        label: t('tunnel.ngrokUrl'),
        placeholder: examples.ngrok,
      };
    case 'command':
      return { ...texts, label: t('tunnel.commandUrl') };
    default:
      return { ...texts, label: t('tunnel.url') };
  }
}

/** The name that a number has at Twilio; empty where it is only the number once more. */
export function ownName({ formatted, name }: { formatted: string; name: string }): string {
  return name === formatted || /^[+\d\s().-]*$/.test(name) ? '' : name;
}

/** The time until something happens by itself, such as "in 12 s"; empty when it is about to. */
export function until(at: number, now: number): string {
  const seconds = Math.ceil((at - now) / 1_000);
  if (seconds <= 0) return t('until.now');
  if (seconds < 60) return t('until.seconds', { s: seconds });
  return t('until.minutes', { m: Math.ceil(seconds / 60) });
}

/** What Twilio signs its requests with, as a sentence. */
export const signingWords: Readonly<Record<SigningState, PlainKey>> = {
  auth_token: 'signing.authToken',
  switching_on: 'signing.switchingOn',
  shared_key: 'signing.sharedKey',
  replacing: 'signing.replacing',
  switching_off: 'signing.switchingOff',
};
