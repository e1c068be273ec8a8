// The outcome, for people: a table on the terminal, and the same in docs/benchmarks.md.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const BEGIN = '<!-- begin: ./dev bench gateway -->';
const END = '<!-- end: ./dev bench gateway -->';

/** A figure in three significant digits, as one reads it. */
function figure(value) {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

const times = (ratio) => `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)}×`;

function cells(row) {
  return [
    row.name,
    `${figure(row.theirs)} ${row.unit}`,
    `${figure(row.ours)} ${row.unit}`,
    `${times(row.ratio)} (${times(row.ratioLeast)}–${times(row.ratioMost)})`,
    row.target?.text ?? '',
    row.met === undefined ? '' : row.met ? 'met' : 'missed',
  ];
}

const HEADINGS = ['', 'Express + twilio', 'dialer-server', 'better by (least–most)', 'target', ''];

/** The rows as columns of equal width. */
export function plain(rows) {
  const table = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((line) => line[column].length)));
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The rows as a Markdown table. */
export function markdown(rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(HEADINGS), line(HEADINGS.map(() => '---')), ...rows.map((row) => line(cells(row)))].join('\n');
}

/** What the load tool can do, from its measurement of itself. */
export function instrument({ busy, alone }) {
  const most = Number(busy.perSecond.toPrecision(3)).toLocaleString('en-US');
  return [
    `The load tool itself makes ${most} requests a second against a server that does nothing, at`,
    `${figure(busy.toolUs)} µs of work for each, and sees an answer of it after ${figure(alone.p50Ms * 1_000)} µs (p50).`,
  ].join('\n');
}

/** What the figures were taken with. */
function circumstances(root, plan, pinned) {
  const version = (name) =>
    JSON.parse(readFileSync(join(root, `tools/bench/express/node_modules/${name}/package.json`), 'utf8'))
      .version;
  const rustc = execFileSync('rustc', ['--version'], { encoding: 'utf8' }).split(' ')[1];
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  }).trim();
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `Taken on ${new Date().toISOString().slice(0, 10)} at commit ${commit}, on ${cpus()[0].model.trim()} with`,
    `${cpus().length} processors and ${gib} GiB, ${type()} ${release()}: Node ${process.version.slice(1)},`,
    `express ${version('express')}, twilio ${version('twilio')}, rustc ${rustc}. ${plan.rounds} rounds,`,
    `${plan.seconds} s for each load, ${plan.floodS} s for each flood, paced at ${Math.round(plan.load * 100)} % of Express's capacity;`,
    pinned
      ? 'the server on one processor, the load tool on another.'
      : 'server and load tool on the same processor, which blurs everything.',
  ].join('\n');
}

/** Replaces what `file` says of this benchmark; `notes` are sentences beneath the table. */
export function write(file, root, rows, plan, pinned, tool, notes) {
  const text = readFileSync(file, 'utf8');
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before)
    throw new Error(`${file} has no place for the table, between "${BEGIN}" and "${END}"`);
  const section = [
    BEGIN,
    `${circumstances(root, plan, pinned)}\n${instrument(tool)}`,
    markdown(rows),
    ...notes.map((note) => `${note}.`),
    '',
  ].join('\n\n');
  writeFileSync(file, text.slice(0, before) + section + text.slice(after));
}
