import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openBrowser } from './browser.js';
import { day } from './day.js';
import { stopAll } from './processes.js';
import { startSound } from './sound.js';

let sound;
let phone;
before(async () => {
  sound = await startSound();
  phone = await openBrowser(sound.env);
  sound.speak(1000);
});
after(async () => {
  await phone?.close();
  await sound?.stop();
  await stopAll();
});

day(
  'browser',
  () => phone,
  () => sound,
);

test('browser: nothing is asked of any other computer', () => {
  assert.deepEqual(phone.outside, []);
});
