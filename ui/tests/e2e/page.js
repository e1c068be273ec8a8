// What a person does at the window, the same for the desktop's webview and for a browser.
import { until } from './processes.js';

const by = (testId) => `[data-testid="${testId}"]`;

/** The keys of the pad by character. */
const KEY = { '*': 'key-star', '#': 'key-hash' };

export class Page {
  /** @param {{ click(css: string): Promise<void>, type(css: string, text: string): Promise<void>, evaluate(script: string, ...args: unknown[]): Promise<any>, screenshot(): Promise<Buffer>, resize(w: number, h: number): Promise<void> }} driver */
  constructor(driver) {
    this.driver = driver;
  }

  press(testId) {
    return this.driver.click(by(testId));
  }

  /** Puts a text into a field, as pasting does, and leaves the field. */
  async fill(testId, text) {
    await until(`${testId} to be there`, () => this.has(testId));
    await this.driver.evaluate(
      `const field = document.querySelector(arguments[0]);
       field.focus();
       field.value = arguments[1];
       field.dispatchEvent(new Event('input', { bubbles: true }));
       field.dispatchEvent(new Event('change', { bubbles: true }));
       field.blur();`,
      by(testId),
      text,
    );
  }

  /** Whether a box is ticked. */
  checked(testId) {
    return this.driver.evaluate('return document.querySelector(arguments[0]).checked;', by(testId));
  }

  key(character) {
    return this.press(KEY[character] ?? `key-${character}`);
  }

  text(testId) {
    return this.driver.evaluate(
      'const e = document.querySelector(arguments[0]); return e ? (e.value ?? e.textContent).trim() : null;',
      by(testId),
    );
  }

  /** What a person can read in the window. */
  visibleText() {
    return this.driver.evaluate('return document.body.innerText;');
  }

  attribute(testId, name) {
    return this.driver.evaluate(
      'return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null;',
      by(testId),
      name,
    );
  }

  has(testId) {
    return this.driver.evaluate(
      'return document.querySelector(arguments[0]) !== null;',
      by(testId),
    );
  }

  /** There and to be seen: the history and the pad are both in the page, one hidden when it is narrow. */
  visible(testId) {
    return this.driver.evaluate(
      'const e = document.querySelector(arguments[0]); return e !== null && e.checkVisibility();',
      by(testId),
    );
  }

  appears(testId, limitMs) {
    return until(`${testId} to appear`, () => this.has(testId), limitMs);
  }

  async disappears(testId, limitMs) {
    await until(`${testId} to go`, async () => !(await this.has(testId)), limitMs);
  }

  /** The two lights say Ready. */
  async ready() {
    for (const light of ['light-out', 'light-in']) {
      await until(
        `${light} to be ready`,
        async () => (await this.attribute(light, 'data-state')) === 'ready',
        30_000,
      );
    }
  }

  /** Replaces what stands in the number field. */
  async enterNumber(text) {
    await this.driver.evaluate(
      'const e = document.querySelector(arguments[0]); e.focus(); e.value = ""; e.dispatchEvent(new Event("input", { bubbles: true }));',
      by('number-input'),
    );
    if (text) await this.driver.type(by('number-input'), text);
  }

  async call(number) {
    await this.enterNumber(number);
    await this.press('call-button');
  }

  /** Rows of the log, newest first. */
  log() {
    return this.driver.evaluate(
      'return [...document.querySelectorAll(arguments[0])].map((e) => ({ outcome: e.dataset.outcome ?? null, direction: e.dataset.direction, text: e.textContent.trim() }));',
      by('log-entry'),
    );
  }

  /** Shows the history where the window is too narrow for it to stand beside the pad. */
  async showLog() {
    await until(
      'the history',
      async () => {
        if (await this.visible('log-list')) return true;
        if (await this.visible('nav-recents')) await this.press('nav-recents');
        return false;
      },
      20_000,
    );
  }

  /** With `discard`, rules that were changed and not saved are given up. */
  async showPad(discard = false) {
    await until(
      'the pad',
      async () => {
        if (await this.visible('number-input')) return true;
        if (discard && (await this.has('leave-discard'))) await this.press('leave-discard');
        if (await this.visible('nav-keypad')) await this.press('nav-keypad');
        return false;
      },
      20_000,
    );
  }
}
