#!/usr/bin/env node
// Checks that every Rust crate and npm package this repository builds with may be used under one of
// the licences below. `--list` prints them all instead, for the notices of a release.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** What may be linked or shipped in a program under MIT OR Apache-2.0 without further duty than its notice. */
export const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
  // The certificates of webpki-root-certs: data, free to pass on.
  'CDLA-Permissive-2.0',
  // Copyleft by file: unchanged sources from the registry fulfil it (Servo's CSS crates under Tauri).
  'MPL-2.0',
]);

/** Of what only runs while building, testing and measuring, and never reaches a user. */
export const ALLOWED_FOR_TOOLS = new Set([...ALLOWED, 'BlueOak-1.0.0', 'CC0-1.0', 'CC-BY-4.0', 'Python-2.0']);

/**
 * Whether one of the choices an SPDX expression leaves is wholly allowed. Cargo's old `A/B` means OR.
 * Throws on what is no expression, so a malformed licence is never waved through.
 */
export function permitted(expression, allowed) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  const malformed = () => new Error(`"${expression}" is not an SPDX expression`);

  function operand() {
    const token = tokens.shift();
    if (token === '(') {
      const inner = alternatives();
      if (tokens.shift() !== ')') throw malformed();
      return inner;
    }
    if (token === undefined || /^(\)|AND|OR|WITH)$/.test(token)) throw malformed();
    if (tokens[0] !== 'WITH') return allowed.has(token);
    tokens.shift();
    return allowed.has(`${token} WITH ${tokens.shift()}`);
  }
  function joined() {
    let all = operand();
    while (tokens[0] === 'AND') {
      tokens.shift();
      all = operand() && all;
    }
    return all;
  }
  function alternatives() {
    let any = joined();
    while (tokens[0] === 'OR') {
      tokens.shift();
      any = joined() || any;
    }
    return any;
  }

  const answer = alternatives();
  if (tokens.length > 0) throw malformed();
  return answer;
}

function crates(manifest, allowed) {
  const metadata = JSON.parse(
    execFileSync('cargo', ['metadata', '--locked', '--format-version', '1', '--manifest-path', manifest], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  return metadata.packages
    .filter((crate) => crate.source !== null)
    .map(({ name, version, license }) => ({ kind: 'crate', name, version, licence: license, allowed }));
}

function npmPackages(folder, shipped) {
  const lock = JSON.parse(readFileSync(`${folder}/package-lock.json`, 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, license, dev }]) => ({
      kind: 'npm',
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license,
      allowed: dev || !shipped ? ALLOWED_FOR_TOOLS : ALLOWED,
    }));
}

function problem({ licence, allowed }) {
  if (!licence) return 'names no licence';
  try {
    return permitted(licence, allowed) ? undefined : `is under ${licence}`;
  } catch (error) {
    return error.message;
  }
}

function main() {
  const shipped = [...crates('Cargo.toml', ALLOWED), ...npmPackages('ui', true)];
  const measuring = [
    ...crates('tools/bench/load/Cargo.toml', ALLOWED_FOR_TOOLS),
    ...npmPackages('tools/bench/express', false),
    ...npmPackages('tools/cross-check', false),
  ];
  if (process.argv.includes('--list')) {
    for (const { kind, name, version, licence } of shipped) {
      process.stdout.write(`${kind}\t${name}\t${version}\t${licence}\n`);
    }
    return;
  }
  const packages = [...shipped, ...measuring];
  const refused = packages.map((one) => ({ ...one, why: problem(one) })).filter(({ why }) => why);
  for (const { kind, name, version, why } of refused) {
    process.stderr.write(`${kind} ${name} ${version} ${why}, which tools/licences.mjs does not allow.\n`);
  }
  if (refused.length > 0) process.exit(1);
  process.stdout.write(`${packages.length} packages, each under an allowed licence\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main();
