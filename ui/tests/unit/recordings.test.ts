import { screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallLogEntry, Recording } from '../../src/host/bindings';
import { by, click, openAnew, opened, sent } from './account_page';
import { logEntry, refusal } from './program';
import { ACCOUNT } from './stand_in';

const SID = `RE${'1'.repeat(32)}`;
const MESSAGE: Recording = {
  recording_sid: SID,
  message: true,
  status: 'completed',
  duration_s: 23,
  text: null,
};

beforeEach(openAnew);

async function openWith(over: Partial<CallLogEntry>): Promise<void> {
  const entry = logEntry({ id: 'a', direction: 'incoming', peer: '+12025550107', ...over });
  await opened.open(ACCOUNT, { call_log: { entries: [entry], next: null } });
  opened.dialer.show('recents');
  await opened.settled();
}

const voicemail = (over: Partial<Recording> = {}) =>
  openWith({ outcome: 'voicemail', recordings: [{ ...MESSAGE, ...over }] });

describe('a call in the log', () => {
  it.each([
    [{ outcome: 'voicemail' }, /Incoming · Left a message/],
    [{ outcome: 'forwarded' }, /Incoming · Forwarded/],
    [{ outcome: 'missed', waited_s: 74 }, /Incoming · Missed · waited 1 min 14 s/],
    [{ outcome: 'answered', duration_s: 5, waited_s: 3 }, /Incoming · 5 s · waited 3 s/],
  ] as [Partial<CallLogEntry>, RegExp][])('%o is told in words', async (over, words) => {
    await openWith(over);
    expect(by('log-entry').textContent).toMatch(words);
  });
});

describe('a message', () => {
  it('is fetched and heard when it is asked for', async () => {
    opened.program.answers.recording = () => ({ wav_base64: btoa('RIFF....WAVE') });
    await voicemail();
    expect(by('recording').textContent).toMatch(/Message, 23 s/);
    expect(sent('recording')).toEqual([]);
    await click('play-recording');
    expect(sent('recording')).toEqual([{ recording: SID }]);
    expect(by('recording-player').getAttribute('src')).toMatch(/^blob:/);
  });

  it('says why it cannot be heard', async () => {
    opened.program.answers.recording = () => refusal('Twilio cannot be reached.');
    await voicemail();
    await click('play-recording');
    expect(by('recording').textContent).toMatch(/cannot be reached/);
    expect(screen.queryByTestId('recording-player')).toBeNull();
  });

  it('is shown in writing where it was written down', async () => {
    await voicemail({ text: 'Please call me back.' });
    expect(by('recording-text').textContent).toBe('“Please call me back.”');
  });

  it('that was not left says so, and has nothing to play', async () => {
    await voicemail({ duration_s: 0, text: '' });
    expect(by('recording').textContent).toMatch(/No message left/);
    expect(by('recording').textContent).not.toMatch(/make out/);
    expect(by('log-entry').textContent).toMatch(/Incoming · Left no message/);
    expect(screen.queryByTestId('play-recording')).toBeNull();
    by('delete-recording');
  });

  it('that could not be made out says so', async () => {
    await voicemail({ text: '' });
    expect(by('recording-text').textContent).toMatch(/could not make out/);
  });

  it('is deleted once that is confirmed', async () => {
    await voicemail();
    await click('delete-recording');
    expect(document.activeElement?.textContent).toMatch(/for good/);
    await click('delete-recording-cancel');
    expect(sent('delete_recording')).toEqual([]);
    await click('delete-recording');
    await click('delete-recording-confirm');
    expect(sent('delete_recording')).toEqual([{ call: 'a', recording: SID }]);
    opened.program.event({
      event: 'call_log_changed',
      data: logEntry({ id: 'a', direction: 'incoming', peer: '+12025550107' }),
    });
    await opened.settled();
    expect(screen.queryByTestId('recording')).toBeNull();
  });

  it('stops when it is deleted while it is heard', async () => {
    opened.program.answers.recording = () => ({ wav_base64: btoa('RIFF....WAVE') });
    await voicemail();
    await click('play-recording');
    await click('delete-recording');
    await click('delete-recording-confirm');
    expect(screen.queryByTestId('recording-player')).toBeNull();
  });

  it.each([
    ['in-progress', /being made ready/],
    ['absent', /nothing to hear/],
    ['failed', /could not keep it/],
  ] as const)('that is %s cannot be played', async (status, words) => {
    await voicemail({ status });
    expect(by('recording').textContent).toMatch(words);
    expect(screen.queryByTestId('play-recording')).toBeNull();
  });

  it('of a call is another thing than a message', async () => {
    await openWith({ recordings: [{ ...MESSAGE, message: false, duration_s: null }] });
    expect(by('recording').textContent).toMatch(/^Recording/);
  });
});
