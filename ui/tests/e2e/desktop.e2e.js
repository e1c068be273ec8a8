import { day } from './day.js';
import { openDesktop } from './desktop.js';

day('desktop window', openDesktop);
