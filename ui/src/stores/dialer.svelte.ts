import { isForm, type App, type ActionState, type Overlay, type Page } from '../actions/app';
import {
  run,
  runRequest,
  type ActionArguments,
  type ActionId,
  type Source,
} from '../actions/actions';
import type {
  AgentView,
  CallId,
  E164,
  HostEvent,
  Light,
  Lights,
  Notice,
  NumberInspection,
  PracticeView,
  RecordingSid,
  Snapshot,
  Taken,
} from '../host/bindings';
import type { HostError } from '../host/host';
import { t } from '../i18n';
import { isCallable, QUEUE } from '../phone/destination';
import type { Invite, LineCall } from '../phone/line';
import { Phone } from '../phone/phone';
import { isConnected, isLive, type PhoneState } from '../phone/state';
import { NoVoice, type Voice } from '../voice/voice';
import { Account, sentence } from './account.svelte';
import { CallLog } from './call_log.svelte';
import type { DialerParts } from './dialer_parts';
import { Feed } from './feed';
import { Hints } from './hints.svelte';
import { Names } from './names.svelte';
import { Notices } from './notices.svelte';
import { NumberField } from './number_field.svelte';
import { Placing } from './placing.svelte';
import { Recordings } from './recordings.svelte';
import { purposeOf, recall, remember } from './reload';
import { Reports } from './reports';
import { RuleBook } from './rule_book.svelte';
import { Waiting } from './waiting.svelte';

/** How often the timer of a call is looked at; it changes once a second. */
const TICK_MS = 250;

const STARTING: Lights = {
  calls_out: { state: 'starting', reason: null, repair: null },
  calls_in: { state: 'starting', reason: null, repair: null },
};

/** Everything the views show, and the {@link App} that actions are done with. */
export class Dialer implements App {
  phase = $state<'starting' | 'ready' | 'failed'>('starting');
  failure = $state('');
  agent = $state.raw<AgentView | null>(null);
  lights = $state.raw<Lights>(STARTING);
  practice = $state.raw<PracticeView | null>(null);
  phone = $state.raw<PhoneState>({ name: 'idle' });
  /** Unix milliseconds, current while a call is timed. */
  now = $state(0);
  /** Loudness of the call there is, 0 to 1. */
  levels = $state.raw({ input: 0, output: 0 });
  page = $state<Page>('keypad');
  overlay = $state<Overlay>(null);
  keypadOpen = $state(false);
  doNotDisturb = $state(false);
  /** The rule that took the last practice call in place of the phone. */
  taken = $state.raw<Taken | null>(null);
  /** Where the agent wanted to go when unsaved changes stood in the way. */
  leaving = $state<Page | null>(null);

  readonly field: NumberField;
  readonly log: CallLog;
  readonly names: Names;
  readonly account: Account;
  readonly rules: RuleBook;
  readonly placing: Placing;
  readonly waiting: Waiting;
  readonly recordings: Recordings;

  readonly #notices = new Notices();
  readonly #hints: Hints;
  readonly #feed: Feed;
  readonly #reports: Reports;
  #lastDialled = $state<string | null>(null);

  readonly #parts: DialerParts;
  #phone: Phone | null = null;
  #voice: Voice | null = null;
  #stopTicking: (() => void) | null = null;
  /** Another phone stands behind the page, which has to be loaded anew. */
  #stale = false;

  constructor(parts: DialerParts) {
    this.#parts = parts;
    const { host, clock } = parts;
    this.#hints = new Hints(clock);
    this.#reports = new Reports(host);
    this.#feed = new Feed({
      host,
      clock,
      // The program ends the calls of any page before this one.
      page: crypto.randomUUID(),
      apply: (snapshot) => this.#apply(snapshot),
      hear: (event) => this.#hear(event),
      lost: (error) => this.#lost(error),
      hint: (text) => this.hint(text),
    });
    const inspect = (text: string) => host.call('inspect_number', { text });
    this.field = new NumberField(inspect, () => this.placing.forget());
    this.names = new Names(inspect);
    this.log = new CallLog((before, limit) => host.call('list_call_log', { before, limit }));
    this.account = new Account({ host, clock: parts.clock, open: () => this.#openAccount() });
    this.rules = new RuleBook({ host, clock: parts.clock, hint: (text) => this.hint(text) });
    this.waiting = new Waiting(parts.clock);
    this.recordings = new Recordings(host);
    this.placing = new Placing({
      host,
      newId: parts.newId,
      dial: (to, call) => this.#dial(to, call),
      field: this.field,
      lastNumber: () => this.lastNumber,
      // Somebody may call while a number is read: it stays for afterwards.
      why: () =>
        !this.#phone ? t('why.notReadyOut') : isLive(this.phone) ? t('why.inCall') : null,
      hint: (text) => this.hint(text),
      agent: () => this.agent,
    });
    this.now = parts.clock.now();
  }

  /** Connects to the program and brings the phone up. */
  async start(): Promise<void> {
    const { host, openVoice, tones } = this.#parts;
    let snapshot: Snapshot;
    try {
      snapshot = await this.#feed.begin();
    } catch (error) {
      this.phase = 'failed';
      this.failure = sentence(error);
      return;
    }
    this.#arrive();
    this.phase = 'ready';
    try {
      this.#voice = await openVoice(host, snapshot, {
        onInvite: (invite, call) => this.#invited(invite, call),
        onLevels: (input, output) => (this.levels = { input, output }),
        reportDevice: (report) => this.#reports.send('report_device', { report }),
      });
    } catch (error) {
      this.#notices.tell('voice', 'MediaFailed', voiceFailure(error), false);
      return;
    }
    const { line } = this.#voice;
    this.#phone = new Phone({
      line,
      clock: this.#parts.clock,
      newId: this.#parts.newId,
      report: (report) => this.#reports.send('report_call', { report }),
    });
    this.#phone.subscribe((state) => this.#follow(state));
    line.start();
    if (host.kind === 'browser' && (await tones.blocked())) {
      this.#notices.tell('sound', 'SpeakerMissing', t('notice.soundBlocked'), true);
    }
  }

  /** Runs an action; see {@link run}. */
  do<Id extends ActionId>(id: Id, args: ActionArguments[Id], source: Source): void {
    run(this, id, args, source).catch((error: unknown) => this.hint(sentence(error)));
  }

  /** The agent clicked or pressed a key: from now on a browser lets the page be heard. */
  touched(): void {
    this.#parts.tones.unlock();
    this.#notices.withdraw('sound');
  }

  /** The computer went on or off the network: the program need not find out by waiting. */
  reportNetwork(): void {
    this.#reports.send('report_network', { online: this.#parts.online() });
  }

  /** Whether the page is the program's own window rather than one of a browser. */
  get ownWindow(): boolean {
    return this.#parts.host.kind === 'window';
  }

  get notices(): readonly Notice[] {
    return this.#notices.all;
  }

  get lastNumber(): string | null {
    return (
      this.#lastDialled ??
      this.log.entries.find(({ direction, peer }) => direction === 'outgoing' && isCallable(peer))
        ?.peer ??
      null
    );
  }

  get state(): ActionState {
    return {
      phone: this.phone,
      lights: this.lights,
      text: this.field.text,
      inspection: this.field.pending ? null : this.field.inspection,
      lastNumber: this.lastNumber,
      practiceNumber: this.practice?.far_ends[0]?.number ?? null,
      overlay: this.overlay,
      keypadOpen: this.keypadOpen,
      hasOlderCalls: this.log.hasOlder,
      page: this.page,
      account: this.account,
      rules: this.rules,
      placing: this.placing.busy,
      waiting: this.waiting.callers.length > 0,
      doNotDisturb: this.doNotDisturb,
      recordings: this.recordings.busy,
      asking: this.asking,
    };
  }

  async placeCall(given?: string): Promise<void> {
    if (given !== undefined) this.setNumber(given);
    await this.placing.placeTyped(given === undefined);
  }

  #dial(to: string, call: CallId): boolean {
    if (!this.#phone?.dial(to, call)) return false;
    if (isCallable(to)) this.#lastDialled = to;
    this.field.set('');
    return true;
  }

  async takeNext(): Promise<void> {
    await this.placing.place(QUEUE);
  }

  async setDoNotDisturb(on: boolean): Promise<void> {
    await this.#parts.host.call('set_do_not_disturb', { on });
    this.doNotDisturb = on;
  }

  answerQuestion(how: 'once' | 'always'): Promise<void> {
    return this.placing.answer(how);
  }

  /** Whether something is asked that has to be answered first. */
  get asking(): boolean {
    const { asked, noEmergency } = this.placing;
    return asked !== null || noEmergency !== null || this.leaving !== null;
  }

  dismissQuestion(): void {
    this.placing.cancel();
    this.leaving = null;
  }

  async leave(how: 'save' | 'discard'): Promise<void> {
    const page = this.leaving;
    this.leaving = null;
    if (how === 'discard') this.rules.discard();
    else if (!(await this.rules.save())) return;
    if (page) this.show(page);
  }

  playRecording(sid: RecordingSid): Promise<void> {
    return this.recordings.play(sid);
  }

  deleteRecording(call: CallId, sid: RecordingSid): Promise<void> {
    return this.recordings.delete(call, sid);
  }

  /** Shows `number` in the field. */
  setNumber(number: string): void {
    this.page = 'keypad';
    this.field.set(number);
  }

  /** What the program makes of a number that is not for the number field. */
  readNumber(text: string): Promise<NumberInspection> {
    return this.#parts.host.call('inspect_number', { text });
  }

  answer(): void {
    this.#phone?.answer();
  }

  decline(): void {
    this.#phone?.decline();
  }

  hangUp(): void {
    this.#phone?.hangUp();
  }

  setMuted(muted: boolean): void {
    this.#phone?.setMuted(muted);
  }

  press(digits: string): void {
    // The SDK plays the tones of a call.
    this.#phone?.press(digits);
  }

  type(text: string): void {
    // In a wide window the pad stands beside a page that is filled in, which stays.
    if (!isForm(this.page)) this.page = 'keypad';
    this.#parts.tones.key(text);
    this.field.insert(text);
  }

  erase(): void {
    this.field.erase();
  }

  async practiceIncoming(from: E164): Promise<void> {
    this.taken = null;
    this.taken = await this.#parts.host.call('practice_incoming', { call: { from } });
  }

  show(page: Page): void {
    const there = isRules(this.page);
    if (there && !isRules(page) && this.rules.changed) {
      this.leaving = page;
      return;
    }
    // What is there may have changed since, such as a country that was always to be allowed.
    if (isRules(page) && !there) void this.rules.load();
    this.page = page;
  }

  showRule(path: string): void {
    this.overlay = null;
    this.rules.place = path;
    this.show('incoming');
  }

  setKeypadOpen(open: boolean): void {
    this.keypadOpen = open;
  }

  setOverlay(overlay: Overlay): void {
    this.overlay = overlay;
  }

  dismissEnding(): void {
    this.#phone?.dismiss();
  }

  async loadOlderCalls(): Promise<void> {
    await this.log.loadOlder();
  }

  async copy(text: string): Promise<void> {
    const { clipboard } = this.#parts;
    if (!clipboard) {
      this.hint(t('copy.failed'));
      return;
    }
    try {
      await clipboard.writeText(text);
      this.hint(t('copy.done'));
    } catch (error) {
      console.warn('the clipboard could not be written', error);
      this.hint(t('copy.failed'));
    }
  }

  get hintText(): string {
    return this.#hints.text;
  }

  hint(reason: string): void {
    this.#hints.tell(reason);
  }

  /** The pad key that the keyboard pressed a moment ago. */
  get flashed(): string {
    return this.#hints.flashed;
  }

  flash(key: string): void {
    this.#hints.flash(key);
  }

  dismissNotice({ id }: Notice): void {
    if (this.#notices.withdraw(id)) return;
    this.#parts.host
      .call('dismiss_notice', { id })
      .catch((error: unknown) => this.hint(sentence(error)));
  }

  #apply(snapshot: Snapshot): void {
    this.agent = snapshot.agent;
    this.lights = snapshot.lights;
    this.practice = snapshot.practice;
    this.#notices.hear(snapshot.notices);
    this.log.reset(snapshot.call_log);
    this.doNotDisturb = snapshot.do_not_disturb;
    this.waiting.hear(snapshot.queue);
    // What a gap may have hidden.
    this.rules.hear();
    this.#notices.withdraw('host');
    // A program that has just started takes a network for granted.
    if (!this.#parts.online()) this.reportNetwork();
    void this.account.load();
  }

  /** Unix milliseconds at this moment. */
  clockNow(): number {
    return this.#parts.clock.now();
  }

  /** For a program that did not start. */
  restart(): void {
    this.#parts.host.restart();
  }

  /** The program is out of reach; the next snapshot shows that it is back. */
  #lost(error: HostError): void {
    const light: Light = { state: 'not_reachable', reason: error.user.message, repair: null };
    this.lights = { calls_out: light, calls_in: light };
    this.#notices.tell('host', error.user.code, error.user.message, false);
  }

  #hear(event: HostEvent): void {
    switch (event.event) {
      case 'agent_changed':
        this.agent = event.data;
        break;
      case 'lights_changed':
        this.lights = event.data;
        break;
      case 'notices_changed':
        this.#notices.hear(event.data);
        break;
      case 'call_log_changed':
        this.log.upsert(event.data);
        this.#phone?.learn(event.data);
        break;
      case 'do_not_disturb_changed':
        this.doNotDisturb = event.data;
        break;
      case 'queue_changed':
        this.waiting.hear(event.data);
        break;
      case 'rules_changed':
        this.rules.hear();
        break;
      case 'preview_line_added':
        this.rules.trial.hear(event.data);
        break;
      case 'greeting_progressed':
        this.rules.greeting.hear(event.data);
        break;
      case 'call_log_removed':
        this.log.remove(event.data);
        break;
      case 'token_renewal_due':
        void this.#voice?.line.renewToken();
        break;
      case 'action_requested':
        runRequest(this, event.data).catch((error: unknown) => this.hint(sentence(error)));
        break;
      case 'account_changed':
        this.account.hear(event.data);
        break;
      case 'phone_changed':
        this.#stale = true;
        this.#reloadWhenIdle();
        break;
      case 'voice':
        // What it says about devices is a notice of the program's.
        this.#voice?.deliver(event.data);
        break;
    }
  }

  #invited(invite: Invite, call: LineCall): void {
    if (this.#phone?.receive(invite, call) === 'busy') {
      const peer = this.names.of(invite.peer);
      this.#notices.tell(`busy:${invite.callSid}`, 'Busy', t('notice.missedBusy', { peer }), true);
    }
  }

  #follow(state: PhoneState): void {
    if (isLive(this.phone) && !isLive(state)) this.account.callEnded();
    // Nothing that is asked may lie over a call.
    if (!isLive(this.phone) && isLive(state)) {
      this.dismissQuestion();
      this.taken = null;
    }
    this.phone = state;
    this.#soundFor(state);
    if (!isConnected(state)) {
      this.keypadOpen = false;
      this.levels = { input: 0, output: 0 };
    }
    this.now = this.#parts.clock.now();
    if (isConnected(state)) this.#tick();
    else this.#stopTicking?.();
    this.#reloadWhenIdle();
  }

  /** The SDK's Device belongs to the phone that was; a new page starts one for the phone that is. */
  #reloadWhenIdle(): void {
    if (!this.#stale || isLive(this.phone)) return;
    this.#stale = false;
    remember(this.#parts.memory, purposeOf(this.account.status));
    this.#parts.host.reload();
  }

  /** After a reload, tells what it was for, where that can be seen. */
  #arrive(): void {
    const done = recall(this.#parts.memory);
    if (done === null) return;
    if (done === 'connected') {
      this.hint(t('account.nowConnected'));
      return;
    }
    this.page = 'account';
    this.hint(done === 'changed' ? t('account.nowChanged') : t('account.nowDisconnected'));
  }

  #openAccount(): void {
    this.overlay = null;
    this.page = 'account';
  }

  #soundFor(state: PhoneState): void {
    const { tones } = this.#parts;
    if (state.name === 'incoming' && !state.call.answering) tones.ring();
    else if (state.name === 'ringing' && !state.call.earlyMedia) tones.ringback();
    else tones.stop();
  }

  #tick(): void {
    this.#stopTicking?.();
    this.now = this.#parts.clock.now();
    this.#stopTicking = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }
}

function isRules(page: Page): boolean {
  return page === 'calls' || page === 'incoming';
}

function voiceFailure(error: unknown): string {
  if (error instanceof NoVoice) return t('notice.noVoice');
  console.error('the voice could not be opened', error);
  return t('notice.voiceFailed', { detail: error instanceof Error ? error.message : '' });
}
