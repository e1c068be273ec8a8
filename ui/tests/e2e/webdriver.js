// The desktop window through WebKitWebDriver, spoken to directly: W3C WebDriver is a few JSON calls.
import { until } from './processes.js';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

export class WebDriver {
  /** @param {string} base `http://127.0.0.1:PORT` */
  constructor(base) {
    this.base = base;
    this.session = '';
  }

  async call(method, path, body) {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value?.error}: ${value?.message}`);
    return value;
  }

  /** Starts the program and waits for its window. */
  async open(binary, args) {
    const value = await this.call('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } } },
    });
    this.session = `/session/${value.sessionId}`;
  }

  async close() {
    if (this.session) await this.call('DELETE', this.session).catch(() => undefined);
    this.session = '';
  }

  async element(css) {
    const found = await this.call('POST', `${this.session}/element`, {
      using: 'css selector',
      value: css,
    });
    return found[ELEMENT];
  }

  async click(css) {
    const id = await until(css, () => this.element(css), 10_000);
    // As a person scrolls: away from the edges, where a bar may lie over the page.
    await this.evaluate('arguments[0].scrollIntoView({ block: "center" });', { [ELEMENT]: id });
    await this.call('POST', `${this.session}/element/${id}/click`, {});
  }

  async type(css, text) {
    const id = await this.element(css);
    await this.call('POST', `${this.session}/element/${id}/value`, { text });
  }

  async evaluate(script, ...args) {
    return this.call('POST', `${this.session}/execute/sync`, { script, args });
  }

  async resize(width, height) {
    await this.call('POST', `${this.session}/window/rect`, { width, height });
  }

  async screenshot() {
    return Buffer.from(await this.call('GET', `${this.session}/screenshot`), 'base64');
  }
}
