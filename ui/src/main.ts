import { mount } from 'svelte';
import { chooseHost } from './host/choose';
import { systemClock } from './phone/clock';
import { Dialer } from './stores/dialer.svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/forms.css';
import App from './views/App.svelte';
import { Tones } from './voice/tones';
import { openVoice } from './voice/voice';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no element #app');

const dialer = new Dialer({
  host: await chooseHost(),
  openVoice,
  tones: new Tones(),
  clock: systemClock,
  newId: () => crypto.randomUUID(),
  // Absent, whatever its type says, where the page is not a secure one.
  clipboard: navigator.clipboard,
  online: () => navigator.onLine,
  memory: window.sessionStorage,
});
mount(App, { target, props: { dialer } });
await dialer.start();
