import { after, before } from 'node:test';

import { day } from './day.js';
import { openDesktop } from './desktop.js';
import { stopAll } from './processes.js';
import { startSound } from './sound.js';

let sound;
let phone;
before(async () => {
  sound = await startSound();
  phone = await openDesktop(sound.env);
  sound.speak(1000);
});
after(async () => {
  await phone?.close();
  await sound?.stop();
  await stopAll();
});

day(
  'desktop window',
  () => phone,
  () => sound,
);
