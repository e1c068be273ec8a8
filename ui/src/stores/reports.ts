import type { Arguments, Host } from '../host/host';

/** What the page tells the program of its own accord. */
export type ReportName = 'report_call' | 'report_device' | 'report_network';

/** Reports to the program, one after the other, so that it hears of things in their order. */
export class Reports {
  readonly #host: Pick<Host, 'call'>;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  send<Name extends ReportName>(name: Name, args: Arguments<Name>): void {
    this.#sent = this.#sent
      .then(() => this.#host.call(name, args))
      .catch((error: unknown) => {
        console.warn(`the program did not take a ${name}`, error);
      });
  }
}
