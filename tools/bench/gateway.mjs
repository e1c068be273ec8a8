#!/usr/bin/env node
// `./dev bench gateway`: dialer-server against the stack of the usual set-up guide, in one run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { account as newAccount } from './gateway/account.mjs';
import { compare } from './gateway/compare.mjs';
import { measures, rows, wrongAnswers } from './gateway/figures.mjs';
import { measure } from './gateway/measure.mjs';
import { PINNED, Server, loadTool } from './gateway/process.mjs';
import { plain, write } from './gateway/report.mjs';
import { dialerServer, express } from './gateway/sides.mjs';
import { Twilio } from './gateway/twilio.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const USAGE = `Usage: ./dev bench gateway [OPTION]...

  --quick       only whether both sides answer alike, with debug builds; judges no speed
  --no-fail     exit with 0 although a target is missed
  --rounds N    how many rounds, each on both sides (5)
  --seconds S   how long each load is measured (3)
  --flood N     forged requests a second (5000)
  --write FILE  where the table goes (docs/benchmarks.md); "-" for nowhere
`;

const say = (text) => process.stderr.write(`${text}\n`);

function plan() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      'no-fail': { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      flood: { type: 'string', default: '5000' },
      write: { type: 'string', default: join(root, 'docs/benchmarks.md') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const number = (name, least) => {
    const value = Number(values[name]);
    if (!(value >= least)) throw new Error(`--${name} must be a number from ${least} on`);
    return value;
  };
  const full = {
    quick: false,
    judge: !values['no-fail'],
    profile: 'release',
    rounds: number('rounds', 1),
    seconds: number('seconds', 0.1),
    warmUpS: 1,
    floodS: 2 * number('seconds', 0.1),
    flood: number('flood', 1),
    genuine: 100,
    write: values.write,
  };
  const quick = {
    profile: 'debug',
    rounds: 1,
    seconds: 1,
    warmUpS: 0.2,
    floodS: 1,
    flood: 200,
    restMs: 0,
  };
  return values.quick ? { ...full, ...quick, quick: true, judge: false, write: '-' } : full;
}

async function main() {
  const chosen = plan();
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  try {
    const account = newAccount();
    const twilio = new Twilio(root, account);
    const load = loadTool(join(root, 'target', chosen.profile, 'bench-load'), account);
    const sides = [
      await express(root, folder, account),
      await dialerServer(root, folder, account, chosen.profile),
    ];

    say('comparing the answers of both sides');
    const servers = [];
    try {
      for (const side of sides) servers.push(await Server.start(side, () => twilio.isUp(side)));
      await compare(twilio, account, sides);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
    say('both sides answer alike');

    const rounds = [];
    for (let round = 0; round < chosen.rounds; round += 1) {
      const figures = {};
      // Which goes first changes, so that neither always meets the warmer machine.
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        say(`round ${round + 1} of ${chosen.rounds}: ${side.name}`);
        figures[side.key] = await measure(side, load, twilio, chosen);
        const wrong = wrongAnswers(side.name, figures[side.key]);
        if (wrong.length > 0) throw new Error(wrong.join('\n'));
      }
      rounds.push(figures);
    }
    if (chosen.quick) return;

    const table = rows(measures(chosen.flood), rounds);
    process.stdout.write(`${plain(table)}\n`);
    if (chosen.write !== '-') write(chosen.write, root, table, chosen, PINNED);
    const missed = table.filter(({ met }) => met === false);
    for (const { name, target } of missed) say(`missed: ${name}, ${target.text}`);
    if (missed.length > 0 && chosen.judge) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  say(error.message);
  process.exitCode = 1;
});
