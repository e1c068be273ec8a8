import type { AccountApp, AccountDoing, AccountState } from '../actions/app';
import {
  choicesOf,
  draftOf,
  problemsOf,
  textOf,
  withRing,
  withText,
  type Draft,
  type DraftProblem,
  type TunnelField,
  type TunnelKind,
} from '../account/draft';
import {
  isChoice,
  isRunning,
  placeOf,
  shownIn,
  type Changing,
  type Place,
  type Shown,
} from '../account/phases';
import type {
  AccountStatus,
  CallerIdCheck,
  CredentialField,
  DisconnectView,
  E164,
  ImportReport,
  PhoneNumberSid,
  Repair,
  Undo,
} from '../host/bindings';
import { HostError, type Host } from '../host/host';
import { t } from '../i18n';
import type { Clock } from '../phone/clock';

/** How often the time until the next attempt is looked at. */
const TICK_MS = 1_000;

/** What the page has to do with the rest of the window. */
export interface AccountParts {
  host: Pick<Host, 'call'>;
  clock: Clock;
  /** Shows the account page. */
  open: () => void;
}

/** The account page: what the program says of the account, and what the agent is about to choose. */
export class Account implements AccountApp, AccountState {
  status = $state.raw<AccountStatus | null>(null);
  /** Why the status could not be had. */
  failure = $state('');
  /** Why the last thing asked for was refused at once. */
  problem = $state('');
  /** It was refused because something else stood in the way, such as a call. */
  #inTheWay = false;
  /** Counts problems: one that comes again is read out again. */
  problems = $state(0);
  /** Refusals that belong to a field. */
  fieldProblems = $state.raw<Readonly<Partial<Record<CredentialField, string>>>>({});
  /** Fields on their way to the program. */
  sending = $state.raw<readonly CredentialField[]>([]);
  /** Fields in which something stands that was not sent; what it is stays in the field. */
  #begun = $state.raw<readonly CredentialField[]>([]);
  doing = $state.raw<readonly AccountDoing[]>([]);
  report = $state.raw<ImportReport | null>(null);
  preview = $state.raw<DisconnectView | null>(null);
  /** The agent chooses anew after a set-up that failed. */
  again = $state(false);
  /** Where the agent is to be taken as soon as it is there. */
  place = $state<Place | null>(null);
  /** What is to be corrected, once setting up was tried. */
  draftProblems = $state.raw<readonly DraftProblem[]>([]);
  /** Unix milliseconds, current while a time is counted down. */
  now = $state(0);

  /** The agent does not wait any longer for the verification that goes on. */
  #checkHidden = $state(false);
  #edited = $state.raw<Draft | null>(null);
  /** The choices as they stand on the page: the agent's, or what is in use or suggested. */
  readonly draft = $derived(
    this.#edited ?? (this.status?.choices ? draftOf(this.status.choices) : null),
  );
  readonly #parts: AccountParts;
  /** One command after the other, so that what is entered arrives before it is used. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Counts statuses that came by themselves: an answer that was asked for earlier is older. */
  #heard = 0;
  #stopTicking: (() => void) | null = null;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.now = parts.clock.now();
  }

  get entering(): readonly CredentialField[] {
    return [...this.sending, ...this.#begun];
  }

  get callerIdCheck(): CallerIdCheck | null {
    const check = this.status?.caller_id_check ?? null;
    return check && isRunning(check) && this.#checkHidden ? null : check;
  }

  /** What the page shows; nothing while the status is not known. */
  get shown(): Shown | null {
    return this.status && shownIn(this.status, this.again);
  }

  /** What a call stood in the way of can be asked for again. */
  callEnded(): void {
    if (this.#inTheWay) this.problem = '';
  }

  /** Asks for the status, at the start and when changes may have been missed. */
  async load(): Promise<void> {
    const heard = this.#heard;
    try {
      const status = await this.#parts.host.call('account_status', {});
      if (heard === this.#heard) this.#apply(status);
    } catch (error) {
      this.failure = sentence(error);
    }
  }

  /** The account changed. */
  hear(status: AccountStatus): void {
    this.#heard += 1;
    this.#apply(status);
  }

  #apply(status: AccountStatus): void {
    const before = this.status;
    this.status = status;
    this.failure = '';
    const entered = before?.phase !== status.phase ? status.phase : null;
    if (entered && entered !== 'checking' && entered !== 'choosing') {
      this.#leaveChoices();
      if (isChoice(this.place)) this.place = null;
    }
    if (status.phase !== 'connected') this.preview = null;
    const check = status.caller_id_check;
    const same = check?.number === before?.caller_id_check?.number;
    if (!check || !isRunning(check) || !same) this.#checkHidden = false;
    if (before && (entered || (before.error && !status.error))) this.problem = '';
    this.#tick();
  }

  #leaveChoices(): void {
    this.again = false;
    this.#edited = null;
    this.draftProblems = [];
  }

  /** Something stands in the field, or nothing any more. */
  begin(field: CredentialField, something: boolean): void {
    const others = this.#begun.filter((other) => other !== field);
    this.#begun = something ? [...others, field] : others;
  }

  async enter(field: CredentialField, text: string): Promise<void> {
    this.begin(field, false);
    this.fieldProblems = { ...this.fieldProblems, [field]: undefined };
    this.sending = [...this.sending, field];
    try {
      await this.#next(() => this.#parts.host.call('enter_credential', { field, text }));
      // Or it would be neither on its way nor entered until the change is heard.
      await this.load();
    } catch (error) {
      this.fieldProblems = { ...this.fieldProblems, [field]: sentence(error) };
    } finally {
      this.sending = this.sending.toSpliced(this.sending.indexOf(field), 1);
    }
  }

  async importEnv(text: string): Promise<void> {
    this.report = null;
    await this.#do('import', async () => {
      this.report = await this.#parts.host.call('import_env', { text });
    });
  }

  async forget(): Promise<void> {
    this.report = null;
    this.fieldProblems = {};
    await this.#do(null, () => this.#parts.host.call('forget_credentials', {}));
  }

  async check(): Promise<void> {
    await this.#do('check', () => this.#parts.host.call('check_account', {}));
  }

  async setUp(): Promise<void> {
    const { draft, status } = this;
    if (!draft || !status?.inventory) return;
    const { numbers, verified } = status.inventory;
    this.draftProblems = problemsOf(draft, numbers.length + verified.length > 0);
    if (this.draftProblems.length > 0) {
      this.#complain(t('choose.problems'));
      return;
    }
    const choices = choicesOf(draft);
    const taken = await this.#do('set_up', () => this.#parts.host.call('set_up', { choices }));
    if (taken) this.#leaveChoices();
  }

  async tryAgain(): Promise<void> {
    await this.#do('try_again', () => this.#parts.host.call('try_again', {}));
  }

  async verify(number: string): Promise<void> {
    this.#checkHidden = false;
    await this.#do('verify', () => this.#parts.host.call('verify_caller_id', { number }));
  }

  hideCheck(): void {
    this.#checkHidden = true;
  }

  async repair(repair: Repair): Promise<void> {
    const place = placeOf(repair);
    if (place) {
      this.place = place;
      this.#parts.open();
    }
    await this.#do('repair', () => this.#parts.host.call('repair', { repair }));
  }

  async replaceToken(text: string): Promise<void> {
    await this.#do('token', () => this.#parts.host.call('replace_auth_token', { text }));
  }

  async useSharedKey(on: boolean): Promise<void> {
    await this.#do('signing', () => this.#parts.host.call('use_shared_key', { on }));
  }

  async replaceSharedKey(): Promise<void> {
    await this.#do('signing', () => this.#parts.host.call('replace_shared_key', {}));
  }

  async useFile(passphrase: string): Promise<void> {
    await this.#do('vault', () => this.#parts.host.call('use_encrypted_file', { passphrase }));
  }

  async unlock(passphrase: string | null): Promise<void> {
    await this.#do('vault', () => this.#parts.host.call('unlock_vault', { passphrase }));
  }

  async previewDisconnect(): Promise<void> {
    await this.#do('disconnect', async () => {
      this.preview = await this.#parts.host.call('preview_disconnect', {});
    });
  }

  cancelDisconnect(): void {
    this.preview = null;
  }

  async disconnect(undo: Undo): Promise<void> {
    await this.#do('disconnect', () => this.#parts.host.call('disconnect', { undo }));
  }

  async forgetAccount(): Promise<void> {
    await this.#do('disconnect', () => this.#parts.host.call('forget_account', {}));
  }

  async goBack(): Promise<void> {
    await this.#do('set_up', () => this.#parts.host.call('leave_choosing', {}));
  }

  async change(what: Changing): Promise<void> {
    const { status } = this;
    if (status?.phase === 'setting_up' && status.inventory && status.choices) {
      // Everything there is to choose from was looked at just now.
      this.again = true;
      this.place = what;
      this.problem = '';
      return;
    }
    const repaired = this.repair(what === 'numbers' ? 'choose_numbers' : 'change_tunnel');
    this.place = what;
    await repaired;
  }

  async keep(): Promise<void> {
    const local = this.again;
    this.#leaveChoices();
    this.problem = '';
    if (!local) await this.#do(null, () => this.#parts.host.call('leave_choosing', {}));
  }

  /** The agent was taken there. */
  arrived(): void {
    this.place = null;
  }

  setRing(sid: PhoneNumberSid, rings: boolean): void {
    this.#edit((draft) => withRing(draft, sid, rings));
  }

  setCallerId(callerId: E164 | null): void {
    this.#edit((draft) => ({ ...draft, callerId }));
  }

  setTunnel(kind: TunnelKind): void {
    this.#edit((draft) => ({ ...draft, kind }));
  }

  setTunnelText(field: TunnelField, text: string): void {
    this.#edit((draft) => withText(draft, field, text));
  }

  setFallback(fallback: string): void {
    this.#edit((draft) => ({ ...draft, fallback }));
  }

  /** A field was left: what is wrong with what stands in it is said there, what is missing later. */
  left(field: TunnelField | 'fallback'): void {
    const { draft } = this;
    if (!draft || (field === 'fallback' ? draft.fallback : textOf(draft, field)).trim() === '')
      return;
    const others = this.draftProblems.filter((problem) => problem.field !== field);
    const own = problemsOf(draft, true).filter((problem) => problem.field === field);
    this.draftProblems = [...others, ...own];
  }

  #edit(change: (draft: Draft) => Draft): void {
    const { draft } = this;
    if (!draft) return;
    this.#edited = change(draft);
    // What was corrected is not complained about any longer; what is new waits for the next attempt.
    if (this.draftProblems.length > 0) {
      const left = problemsOf(this.#edited, true);
      this.draftProblems = this.draftProblems.filter(({ field, message }) =>
        left.some((other) => other.field === field && other.message === message),
      );
      if (this.draftProblems.length === 0 && this.problem === t('choose.problems')) {
        this.problem = '';
      }
    }
  }

  /** Does `task` after everything before it and returns whether it was done; if not, the page tells why. */
  async #do(doing: AccountDoing | null, task: () => Promise<unknown>): Promise<boolean> {
    this.problem = '';
    if (doing) this.doing = [...this.doing, doing];
    try {
      await this.#next(task);
      return true;
    } catch (error) {
      this.#complain(sentence(error), error instanceof HostError && error.user.code === 'Busy');
      return false;
    } finally {
      if (doing) this.doing = this.doing.filter((each) => each !== doing);
    }
  }

  #next(task: () => Promise<unknown>): Promise<unknown> {
    const done = this.#queue.then(task);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #complain(problem: string, inTheWay = false): void {
    this.problem = problem;
    this.problems += 1;
    this.#inTheWay = inTheWay;
  }

  #tick(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
    this.now = this.#parts.clock.now();
    const retry = this.status?.tunnel?.retry_at_ms ?? null;
    if (retry === null || retry <= this.now) return;
    this.#stopTicking = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }
}

/** What the agent reads when the program refused. */
export function sentence(error: unknown): string {
  return error instanceof HostError ? error.user.message : t('host.failed');
}
