// The simulator's control API, as any test or tool may use it.
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

  /** Apps, numbers and keys as they are set. */
  state() {
    return this.ask('GET', '/state');
  }

  /** Sets where calls to a number go, as its owner did before anybody set up a phone. */
  setUpNumber(number, settings) {
    return this.ask('PUT', `/numbers/${encodeURIComponent(number)}`, settings);
  }

  /** Everything that happened after event `since`. */
  events(since = 0) {
    return this.ask('GET', `/events?since=${since}`);
  }

  /** Every leg there was, oldest first. */
  calls() {
    return this.ask('GET', '/calls');
  }

  /** Legs that are not over. */
  async liveCalls() {
    return (await this.calls()).filter((call) => call.ended_at_ms === null);
  }

  /** What the far end of the only live call has heard so far, or undefined before it listens. */
  async heard() {
    for (const call of await this.liveCalls()) {
      const heard = await this.ask('GET', `/calls/${call.call_sid}/heard`).catch(() => undefined);
      if (heard) return heard;
    }
    return undefined;
  }

  /** Someone calls the agent; answers with the caller's leg. */
  async placeIncoming(from) {
    return (await this.ask('POST', '/incoming', { from })).call_sid;
  }

  hangUp(callSid) {
    return this.ask('POST', `/calls/${callSid}/hangup`, {});
  }

  /** Every signalling socket is cut, as by a network that went away for a moment. */
  cutSignalling() {
    return this.ask('POST', '/signalling/cut', {});
  }

  setFaults(faults) {
    return this.ask('PUT', '/faults', faults);
  }
}
