// The simulator's control API, as any test or tool may use it.
import { until } from './processes.js';

export class Simulator {
  /** @param {string} address `127.0.0.1:PORT` */
  constructor(address) {
    this.base = `http://${address}/sim`;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}
