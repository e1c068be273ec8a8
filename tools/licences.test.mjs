import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permitted } from './licences.mjs';

const allowed = new Set(['MIT', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception']);

for (const [expression, answer] of [
  ['MIT', true],
  ['GPL-3.0-only', false],
  ['GPL-3.0-only OR MIT', true],
  ['MIT OR GPL-3.0-only', true],
  ['MIT AND GPL-3.0-only', false],
  ['GPL-3.0-only/MIT', true],
  ['GPL-3.0-only AND MIT OR Apache-2.0', true],
  ['GPL-3.0-only AND (MIT OR Apache-2.0)', false],
  ['(MIT OR Apache-2.0) AND Apache-2.0', true],
  ['Apache-2.0 WITH LLVM-exception', true],
  ['MIT WITH LLVM-exception', false],
]) {
  test(`${expression} is ${answer ? 'permitted' : 'refused'}`, () => {
    assert.equal(permitted(expression, allowed), answer);
  });
}

for (const expression of ['', 'MIT MIT', '(MIT', 'MIT OR', 'OR', 'SEE LICENSE IN file']) {
  test(`"${expression}" is no expression`, () => {
    assert.throws(() => permitted(expression, allowed), /SPDX/);
  });
}
