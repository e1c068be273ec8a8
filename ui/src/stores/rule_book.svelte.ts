import type { RulesApp, RulesDoing, RulesState } from '../actions/app';
import type {
  FallbackView,
  IncomingRules,
  OutgoingRules,
  PreviewScript,
  Problem,
  Rules,
  RulesView,
  SoundName,
  SoundView,
} from '../host/bindings';
import type { Host } from '../host/host';
import { t } from '../i18n';
import type { Clock } from '../phone/clock';
import { fieldOf, formProblems } from '../rules/problems';
import { reordered, without, type UnreadFields } from '../rules/unread';
import { sentence } from './account.svelte';
import { Greeting } from './greeting.svelte';
import { Trial } from './trial.svelte';

/** How long after the last change the program is asked what is wrong. */
const CHECK_AFTER_MS = 400;

/** Changes that can be undone. */
const UNDO_DEPTH = 50;

/** What the rules have to do with the rest of the window. */
export interface RuleBookParts {
  host: Pick<Host, 'call'>;
  clock: Clock;
  /** Tells the agent something in passing. */
  hint: (text: string) => void;
}

/** The rules of calls: what the program has, and what the agent is about to make of them. */
export class RuleBook implements RulesApp, RulesState {
  view = $state.raw<RulesView | null>(null);
  /** Why the rules could not be had. */
  failure = $state('');
  /** Why the last thing asked for was refused. */
  problem = $state('');
  /** Counts problems: one that comes again is read out again. */
  problemCount = $state(0);
  doing = $state.raw<readonly RulesDoing[]>([]);
  /** A call that is played by the rules as they stand on the page. */
  readonly trial: Trial;
  /** A greeting that is being spoken. */
  readonly greeting: Greeting;
  /** The field the agent wants to be taken to, once its page is there. */
  place = $state<string | null>(null);
  /** Why the last thing asked for the fallback failed. */
  fallbackFailure = $state('');

  #edited = $state.raw<Rules | null>(null);
  /** What was typed and cannot be read: it is kept, and keeps the rules from being saved. */
  #unread = $state.raw<UnreadFields>({});
  /** What was there before each change, the last one last, and which field it was. */
  #past = $state.raw<readonly { rules: Rules; field: string }[]>([]);
  /** What the program said about the draft, or about an earlier one until it is asked again. */
  #checked = $state.raw<readonly Problem[] | null>(null);
  #checks = 0;
  #cancelCheck: (() => void) | null = null;
  readonly #parts: RuleBookParts;

  /** The rules as they stand on the page. */
  readonly draft = $derived(this.#edited ?? this.view?.rules ?? null);
  readonly changed = $derived(
    Object.keys(this.#unread).length > 0 ||
      (this.#edited !== null && JSON.stringify(this.#edited) !== JSON.stringify(this.view?.rules)),
  );
  /** Form problems first: while there are any the program cannot be asked about the rest. */
  readonly problems = $derived.by((): readonly Problem[] => {
    if (!this.draft) return [];
    const unread = Object.entries(this.#unread).map(([path, { message }]) => ({ path, message }));
    const form = [...unread, ...formProblems(this.draft)];
    const said = this.#checked ?? this.view?.problems ?? [];
    const fields = form.map(fieldOf);
    return [...form, ...said.filter((problem) => !fields.includes(fieldOf(problem)))];
  });

  constructor(parts: RuleBookParts) {
    this.#parts = parts;
    this.trial = new Trial(parts.host, parts.clock);
    this.greeting = new Greeting(parts.host);
  }

  get fallback(): FallbackView | null {
    return this.view?.fallback ?? null;
  }

  get canUndo(): boolean {
    return this.#past.length > 0 || Object.keys(this.#unread).length > 0;
  }

  /** What was typed into the field at `path` and cannot be read; nothing where it shows the rules. */
  unread(path: string): string | null {
    return this.#unread[path]?.text ?? null;
  }

  /** The field at `path` holds something that cannot be read. */
  cannotRead(path: string, text: string, message: string): void {
    // The last one typed comes last: it is undone first.
    const others = Object.fromEntries(
      Object.entries(this.#unread).filter(([field]) => field !== path),
    );
    this.#unread = { ...others, [path]: { text, message } };
  }

  /** What the fields at `path` and within hold can be read, or they are no more. */
  canRead(path: string): void {
    this.#unread = without(this.#unread, path);
  }

  /** The entries of the list at `path` are in another order; `order` names the old place of each. */
  reordered(path: string, order: readonly number[]): void {
    this.#unread = reordered(this.#unread, path, order);
  }

  /** Asks for the rules. What the agent has changed and not saved stays as it is. */
  async load(): Promise<void> {
    try {
      const view = await this.#parts.host.call('rules', {});
      const { fallback } = view;
      const known = this.view?.fallback;
      // Looking at the address takes a request of its own: what that found stays true of this address.
      const problem = fallback.problem ?? (known?.url === fallback.url ? known.problem : null);
      this.view = { ...view, fallback: { ...fallback, problem } };
      this.failure = '';
      if (!this.changed) this.#settle();
    } catch (error) {
      this.failure = sentence(error);
    }
  }

  /** The program changed them; pages that are not open ask when they are. */
  hear(): void {
    if (this.view) void this.load();
  }

  /** Changes one field. Changes of one field that follow each other are undone at once. */
  editOutgoing(change: Partial<OutgoingRules>): void {
    this.#edit(`outgoing.${Object.keys(change).join()}`, (rules) => ({
      ...rules,
      outgoing: { ...rules.outgoing, ...change },
    }));
  }

  editIncoming(change: Partial<IncomingRules>): void {
    this.#edit(`incoming.${Object.keys(change).join()}`, (rules) => ({
      ...rules,
      incoming: { ...rules.incoming, ...change },
    }));
  }

  #edit(field: string, change: (rules: Rules) => Rules): void {
    const { draft } = this;
    if (!draft) return;
    const next = change(draft);
    // Typing is one change; what adds or takes away a part is one of its own.
    const typing = this.#past.at(-1)?.field === field && sameShape(draft, next);
    if (!typing) this.#past = [...this.#past, { rules: draft, field }].slice(-UNDO_DEPTH);
    this.#become(next);
  }

  undo(): void {
    const unread = Object.keys(this.#unread).at(-1);
    if (unread !== undefined) {
      this.canRead(unread);
      return;
    }
    const last = this.#past.at(-1);
    if (!last) return;
    this.#past = this.#past.slice(0, -1);
    this.#become(last.rules);
  }

  discard(): void {
    this.#settle();
    this.problem = '';
  }

  async save(): Promise<boolean> {
    const { draft } = this;
    if (!draft) return false;
    return this.#do('save', async () => {
      await this.#parts.host.call('save_rules', { rules: draft });
      // What was changed while it was on its way is still to be saved.
      const later = this.draft === draft ? null : this.draft;
      if (this.view) this.view = { ...this.view, rules: draft, problems: [] };
      this.#settle();
      if (later) this.#become(later);
      await this.load();
      this.#parts.hint(t('rules.saved'));
    });
  }

  async play(script: PreviewScript): Promise<void> {
    const rules = this.draft;
    if (!rules) return;
    await this.trial.play(rules, script);
  }

  /** Keeps a recording that callers can hear; nothing when the program does not take it. */
  async addSound(label: string, wav: string): Promise<SoundView | null> {
    let added: SoundView | null = null;
    await this.#do('sound', async () => {
      const sound = await this.#parts.host.call('add_sound', { label, wav_base64: wav });
      added = sound;
      const { view } = this;
      if (!view) return;
      const others = view.sounds.filter(({ name }) => name !== sound.name);
      this.view = { ...view, sounds: [...others, sound] };
    });
    return added;
  }

  async deleteSound(name: SoundName): Promise<void> {
    await this.#do('sound', async () => {
      await this.#parts.host.call('delete_sound', { name });
      const { view } = this;
      if (view) this.view = { ...view, sounds: view.sounds.filter((each) => each.name !== name) };
      this.#checkSoon();
    });
  }

  async setFallback(url: string | null): Promise<void> {
    await this.#fallback(() => this.#parts.host.call('set_fallback', { url }));
  }

  async checkFallback(): Promise<void> {
    await this.#fallback(() => this.#parts.host.call('check_fallback', {}));
  }

  async #fallback(ask: () => Promise<FallbackView>): Promise<void> {
    this.fallbackFailure = '';
    this.#begin('fallback');
    try {
      const fallback = await ask();
      if (this.view) this.view = { ...this.view, fallback };
    } catch (error) {
      this.fallbackFailure = sentence(error);
    } finally {
      this.#end('fallback');
    }
  }

  /** The recording as Base64 of a WAV file. */
  async sound(name: SoundName): Promise<string> {
    return (await this.#parts.host.call('sound', { name })).wav_base64;
  }

  /** Nothing is changed, and there is nothing to undo. */
  #settle(): void {
    this.#edited = null;
    this.#unread = {};
    this.#past = [];
    this.#forgetCheck();
    this.#checked = null;
  }

  #become(rules: Rules): void {
    if (!rules.incoming.hours) this.canRead('incoming.hours');
    this.#edited = rules;
    this.problem = '';
    this.#checkSoon();
  }

  #forgetCheck(): void {
    this.#checks += 1;
    this.#cancelCheck?.();
    this.#cancelCheck = null;
  }

  #checkSoon(): void {
    this.#forgetCheck();
    this.#cancelCheck = this.#parts.clock.after(CHECK_AFTER_MS, () => void this.#check());
  }

  async #check(): Promise<void> {
    const { draft } = this;
    if (!draft || formProblems(draft).length > 0) return;
    const check = this.#checks;
    try {
      const problems = await this.#parts.host.call('check_rules', { rules: draft });
      if (check === this.#checks) this.#checked = problems;
    } catch (error) {
      // Saving says the same again, where it can be read.
      console.warn('the rules could not be checked', error);
    }
  }

  async #do(doing: RulesDoing, task: () => Promise<void>): Promise<boolean> {
    this.problem = '';
    this.#begin(doing);
    try {
      await task();
      return true;
    } catch (error) {
      this.problem = sentence(error);
      this.problemCount += 1;
      return false;
    } finally {
      this.#end(doing);
    }
  }

  #begin(doing: RulesDoing): void {
    this.doing = [...this.doing, doing];
  }

  #end(doing: RulesDoing): void {
    this.doing = this.doing.toSpliced(this.doing.indexOf(doing), 1);
  }
}

/** Whether only texts and numbers differ. */
function sameShape(one: Rules, other: Rules): boolean {
  const shape = (rules: Rules): string =>
    JSON.stringify(rules, (key, value: unknown) =>
      key !== 'type' && ['string', 'number'].includes(typeof value) ? 0 : value,
    );
  return shape(one) === shape(other);
}
