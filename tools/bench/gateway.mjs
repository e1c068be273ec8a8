#!/usr/bin/env node
// `./dev bench gateway`: dialer-server against the stack of the usual set-up guide, in one run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { account as newAccount } from './gateway/account.mjs';
import { compare } from './gateway/compare.mjs';
import { measures, rows, troubles, wrongAnswers } from './gateway/figures.mjs';
import { calibrate, measure, measureStart } from './gateway/measure.mjs';
import { PINNED, Server, loadTool, toolItself } from './gateway/process.mjs';
import { instrument, plain, write } from './gateway/report.mjs';
import { dialerServer, emptyLog, express, keepLog } from './gateway/sides.mjs';
import { Twilio } from './gateway/twilio.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const USAGE = `Usage: ./dev bench gateway [OPTION]...

  --quick       only whether both sides answer alike, with debug builds; judges no speed
  --no-fail     exit with 0 although a target is missed
  --rounds N    how many rounds, each on both sides (5)
  --seconds S   how long each load is measured (3)
  --load SHARE  the rate at which latency is measured, as a share of what Express can answer (0.7)
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
      load: { type: 'string', default: '0.7' },
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
    load: number('load', 0.01),
    ahead: 200_000,
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
    // A debug build must keep up with it, and takes its time to sign.
    load: 0.1,
    ahead: 2_000,
    restMs: 0,
  };
  return values.quick ? { ...full, ...quick, quick: true, judge: false, write: '-' } : full;
}

/** Throws where `side` gave wrong answers or none: such figures mean nothing. */
function refuse(side, figures) {
  const wrong = wrongAnswers(side, figures);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

async function main() {
  const chosen = plan();
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  try {
    const account = newAccount();
    const twilio = new Twilio(root, account);
    const program = join(root, 'target', chosen.profile, 'bench-load');
    const load = loadTool(program, account);
    const servedBy = async (account) => [
      await express(root, folder, account),
      await dialerServer(root, folder, account, chosen.profile),
    ];
    const sides = await servedBy(account);
    const abroad = newAccount('abroad');
    const twilioAbroad = new Twilio(root, abroad);
    const sidesAbroad = await servedBy(abroad);

    say('comparing the answers of both sides');
    const servers = [];
    try {
      for (const side of sides) servers.push(await Server.start(side, () => twilio.isUp(side)));
      await compare(twilio, account, sides);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
    say('both sides answer alike');
    sides.forEach(keepLog);

    const tool = await toolItself(program, ['--seconds', '1', '--ahead', String(chosen.ahead)]);
    say(instrument(tool));
    const compared = sides[0];
    say(`calibrating: what ${compared.name} can answer`);
    const { closed, rates } = await calibrate(compared, load, twilio, chosen);
    refuse(compared.name, { closed });

    const rounds = [];
    for (let round = 0; round < chosen.rounds; round += 1) {
      const figures = {};
      // Which goes first changes, so that neither always meets the warmer machine.
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        say(`round ${round + 1} of ${chosen.rounds}: ${side.name}`);
        emptyLog(side);
        figures[side.key] = await measure(side, load, twilio, chosen, rates);
        const same = sidesAbroad.find(({ key }) => key === side.key);
        figures[side.key].abroad = await measureStart(same, load, twilioAbroad, chosen);
        refuse(side.name, figures[side.key]);
      }
      rounds.push(figures);
    }
    if (chosen.quick) return;

    const table = rows(measures(chosen.flood, rates), rounds);
    process.stdout.write(`${plain(table)}\n`);
    const notes = sides.flatMap(({ key, name }) =>
      troubles(
        name,
        rounds.map((figures) => figures[key]),
        rates,
      ),
    );
    for (const note of notes) say(note);
    if (chosen.write !== '-') write(chosen.write, root, table, chosen, PINNED, tool, notes);
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
