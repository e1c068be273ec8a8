// The built page in Debian's Chromium with WebRTC taken away, as in the Linux webview, so that the
// real Voice SDK runs on the native shim.
import { chromium } from 'playwright-core';

let browser;

/** Opens a page on `program`. */
export async function open(program, { webrtc = false, ...context } = {}) {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  const tabs = await browser.newContext({
    viewport: { width: 400, height: 680 },
    locale: 'en-GB',
    ...context,
  });
  const page = await tabs.newPage();
  /** What went wrong in the page, and what it asked of other computers. */
  page.faults = [];
  page.on('console', (message) => {
    // The SDK also logs what it reports properly, such as a busy far end.
    const own = !message.text().startsWith('[TwilioVoice]');
    // A command that the program refuses is no fault of the page's.
    const refused = message.text().includes('status of 409');
    if (message.type() === 'error' && own && !refused) page.faults.push(message.text());
  });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(`http://127.0.0.1:${program.port}/`)) {
      if (!/^(?:data|blob):/.test(request.url())) page.faults.push(`asked for ${request.url()}`);
    }
  });
  if (!webrtc) {
    await page.addInitScript(() => {
      for (const name of Object.getOwnPropertyNames(window)) {
        if (/^(webkit)?RTC/.test(name)) delete window[name];
      }
      // The webview cannot choose a loudspeaker either.
      delete HTMLMediaElement.prototype.setSinkId;
    });
  }
  await page.goto(program.url);
  page.by = (testid) => page.getByTestId(testid);
  return page;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}
