import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openBrowser } from './browser.js';
import { day } from './day.js';

const phone = day('browser', openBrowser);

test('browser: nothing is asked of any other computer', () => {
  assert.deepEqual(phone().outside, []);
});
