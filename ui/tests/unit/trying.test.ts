import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GreetingProgress, PreviewLine } from '../../src/host/bindings';
import { by, click, fill, openAnew, opened, sent } from './account_page';
import { PlayedCall } from './line';
import { refusal } from './program';
import { BUSY_OFFICE, PREVIEW, RULES, SOUND } from './rules';
import { ACCOUNT } from './stand_in';

beforeEach(openAnew);

async function openIncoming(): Promise<void> {
  opened.program.rules = { ...RULES, rules: BUSY_OFFICE };
  await opened.open(ACCOUNT);
  await click('nav-incoming');
}

async function hear(line: PreviewLine): Promise<void> {
  opened.program.event({ event: 'preview_line_added', data: line });
  await opened.settled();
}

describe('a preview', () => {
  /** Begins one, and hands over what ends it. */
  async function begin(): Promise<() => Promise<void>> {
    let end = (): void => undefined;
    opened.program.answers.preview_incoming = () =>
      new Promise((resolve) => {
        end = () => {
          resolve(PREVIEW);
        };
      });
    await click('preview-play');
    return async () => {
      end();
      await opened.settled();
    };
  }

  it('shows each line as it happens, and how long it is played', async () => {
    await openIncoming();
    const end = await begin();
    expect(screen.queryByTestId('preview-lines')).toBeNull();
    await hear({ at_s: 0, who: 'call', text: 'Your phone rings, for up to 25 seconds.' });
    await hear({ at_s: 25, who: 'agent', text: 'Nobody answers.' });
    const lines = within(by('preview-lines')).getAllByRole('listitem');
    expect(lines).toHaveLength(2);
    expect(lines[1]?.textContent).toMatch(/You.*0:25.*Nobody answers/);
    for (let half = 0; half < 14; half += 1) opened.clock.pass(500);
    await opened.settled();
    expect(by('preview-since').textContent).toMatch(/Playing for 0:07/);
    await end();
    expect(within(by('preview-lines')).getAllByRole('listitem')).toHaveLength(PREVIEW.length);
    expect(screen.queryByTestId('preview-since')).toBeNull();
    expect(screen.queryByTestId('preview-stop')).toBeNull();
  });

  it('of another page is not shown', async () => {
    await openIncoming();
    await hear({ at_s: 0, who: 'call', text: 'Elsewhere.' });
    expect(screen.queryByTestId('preview-lines')).toBeNull();
  });

  it('is stopped', async () => {
    await openIncoming();
    const end = await begin();
    by('preview-stop').focus();
    await click('preview-stop');
    expect(sent('stop_preview')).toHaveLength(1);
    await end();
    expect(document.activeElement).toBe(by('preview-play'));
  });

  it('takes keys, and says when the menu has none such', async () => {
    await openIncoming();
    const end = await begin();
    opened.program.answers.press_preview_key = () =>
      refusal('This menu has no key 7. The caller hears what follows a wrong key.', 'InvalidEntry');
    await click('preview-key-7');
    expect(sent('press_preview_key')).toEqual([{ key: '7' }]);
    expect(by('preview-refused').textContent).toMatch(/no key 7/);
    opened.program.answers.press_preview_key = () => null;
    await click('preview-key-1');
    expect(screen.queryByTestId('preview-refused')).toBeNull();
    by('preview-key-1').focus();
    await end();
    expect(screen.queryByTestId('preview-key-1')).toBeNull();
    expect(document.activeElement).toBe(by('preview-play'));
  });

  it.each(['25:00', '24:00', 'noon', '12:75'])('refuses the time %s at its field', async (text) => {
    await openIncoming();
    await fireEvent.change(by('preview-when'), { target: { value: 'at' } });
    await opened.settled();
    await fill('preview-time', text);
    await fireEvent.blur(by('preview-time'));
    await opened.settled();
    expect(by('preview-bad-time').textContent).toContain(text);
    await click('preview-play');
    expect(sent('preview_incoming')).toEqual([]);
    await fill('preview-time', '18:30');
    await fireEvent.blur(by('preview-time'));
    await opened.settled();
    expect(screen.queryByTestId('preview-bad-time')).toBeNull();
    await click('preview-play');
    expect(sent('preview_incoming')).toMatchObject([{ script: { at: { minute: 1110 } } }]);
  });
});

describe('a greeting in one’s own voice', () => {
  const MICROPHONES = [
    { id: 'default', label: 'System default', kind: 'microphone' },
    { id: 'desk', label: 'Desk microphone', kind: 'microphone' },
  ] as const;
  const WAV = btoa('RIFF....WAVE');

  async function openRecorder(): Promise<void> {
    await openIncoming();
    opened.program.answers.microphones = () => MICROPHONES;
    await click('greeting-play');
    await click('greeting-sound-record');
    await opened.settled();
  }

  async function progress(over: Partial<GreetingProgress>): Promise<void> {
    const recording = sent('record_greeting').length;
    const data: GreetingProgress = {
      recording,
      at_ms: 0,
      level: 0,
      over: false,
      error: null,
      ...over,
    };
    opened.program.event({ event: 'greeting_progressed', data });
    await opened.settled();
  }

  it('is recorded with the chosen microphone, heard, recorded again and used', async () => {
    await openRecorder();
    await fireEvent.change(by('greeting-sound-microphone'), { target: { value: 'desk' } });
    await click('greeting-sound-record-start');
    expect(sent('record_greeting')).toEqual([{ microphone: 'desk' }]);
    expect(by('greeting-sound-progress').textContent).toMatch(/being opened/);
    await progress({ at_ms: 4_200, level: 0.2 });
    expect(by('greeting-sound-progress').textContent).toMatch(/0:04 of 1:00/);
    opened.program.answers.finish_greeting = () => ({
      wav_base64: WAV,
      duration_ms: 4_300,
      heard: true,
    });
    await click('greeting-sound-record-stop');
    await opened.settled();
    by('greeting-sound-heard');
    await click('greeting-sound-record-start');
    expect(sent('record_greeting')).toHaveLength(2);
    await progress({ at_ms: 60_000, over: true });
    by('greeting-sound-heard');
    await fill('greeting-sound-name', 'Welcome');
    opened.program.answers.add_sound = () => ({ name: SOUND, label: 'Welcome', duration_s: 5 });
    await click('greeting-sound-use');
    await opened.settled();
    expect(sent('add_sound')).toEqual([{ label: 'Welcome', wav_base64: WAV }]);
    expect(screen.queryByTestId('greeting-sound-recorder')).toBeNull();
    expect((by('greeting-sound') as HTMLSelectElement).value).toBe(SOUND);
  });

  it('says when there is no microphone, and when nothing was heard', async () => {
    await openRecorder();
    await click('greeting-sound-record-start');
    const message = 'No microphone was found. Connect one, then record again.';
    const error = { code: 'MicrophoneMissing', message, detail: null } as const;
    await progress({ over: true, error });
    expect(by('greeting-sound-record-problem').textContent).toBe(message);
    expect(sent('finish_greeting')).toEqual([]);
    await click('greeting-sound-record-start');
    expect(screen.queryByTestId('greeting-sound-record-problem')).toBeNull();
    opened.program.answers.finish_greeting = () => ({
      wav_base64: WAV,
      duration_ms: 900,
      heard: false,
    });
    await click('greeting-sound-record-stop');
    await opened.settled();
    expect(by('greeting-sound-recorder').textContent).toMatch(/Almost nothing was heard/);
  });

  it('leaves the microphone to a call, and says so', async () => {
    await openRecorder();
    opened.listeners.onInvite(
      { peer: '+12025550107', ourNumber: null, callSid: 'CA1', parentCallSid: null },
      new PlayedCall(),
    );
    await opened.settled();
    expect(by('greeting-sound-recorder').textContent).toMatch(
      /the microphone. Record when it is over/,
    );
    await click('greeting-sound-record-start');
    expect(sent('record_greeting')).toEqual([]);
  });

  it('lets go of the microphone when it is closed', async () => {
    await openRecorder();
    expect(document.activeElement).toBe(by('greeting-sound-record-start'));
    await click('greeting-sound-record-start');
    expect(document.activeElement).toBe(by('greeting-sound-record-stop'));
    await click('greeting-sound-record-close');
    expect(sent('finish_greeting')).toEqual([{ recording: 1 }]);
    expect(screen.queryByTestId('greeting-sound-recorder')).toBeNull();
    expect(document.activeElement).toBe(by('greeting-sound-record'));
  });

  it('is not ended by what is told of an earlier one', async () => {
    await openRecorder();
    await click('greeting-sound-record-start');
    await click('greeting-sound-record-close');
    await click('greeting-sound-record');
    let begun: (recording: number) => void = () => undefined;
    opened.program.answers.record_greeting = () =>
      new Promise((resolve) => {
        begun = resolve;
      });
    await click('greeting-sound-record-start');
    await progress({ recording: 1, over: true });
    await progress({ recording: 2, at_ms: 300 });
    begun(2);
    await opened.settled();
    await progress({ recording: 1, at_ms: 4_000, over: true });
    expect(by('greeting-sound-progress').textContent).toMatch(/0:00 of 1:00/);
    expect(sent('finish_greeting')).toEqual([{ recording: 1 }]);
    by('greeting-sound-record-stop');
  });

  it('lets go of a microphone that opens after it was closed', async () => {
    await openRecorder();
    let begun: (recording: number) => void = () => undefined;
    opened.program.answers.record_greeting = () =>
      new Promise((resolve) => {
        begun = resolve;
      });
    await click('greeting-sound-record-start');
    await click('greeting-sound-record-close');
    expect(sent('finish_greeting')).toEqual([]);
    begun(7);
    await opened.settled();
    expect(sent('finish_greeting')).toEqual([{ recording: 7 }]);
  });

  it('is not shown where another one is spoken since', async () => {
    await openRecorder();
    await click('greeting-sound-record-start');
    let finished: (recorded: unknown) => void = () => undefined;
    opened.program.answers.finish_greeting = () =>
      new Promise((resolve) => {
        finished = resolve;
      });
    await click('greeting-sound-record-stop');
    await click('greeting-sound-record-close');
    await click('greeting-sound-record');
    finished({ wav_base64: WAV, duration_ms: 900, heard: true });
    await opened.settled();
    expect(screen.queryByTestId('greeting-sound-heard')).toBeNull();
    by('greeting-sound-record-start');
  });

  it('has one recorder: opening it at another field closes it', async () => {
    await openRecorder();
    await fireEvent.change(by('case-open'), { target: { value: 'queue' } });
    await opened.settled();
    await click('queue-greeting-play');
    await click('greeting-sound-record-start');
    await click('queue-greeting-sound-record');
    await opened.settled();
    expect(screen.queryByTestId('greeting-sound-recorder')).toBeNull();
    expect(sent('finish_greeting')).toEqual([{ recording: 1 }]);
    await click('queue-greeting-sound-record-start');
    await progress({ recording: 2, at_ms: 1_000 });
    expect(by('queue-greeting-sound-progress').textContent).toMatch(/0:01/);
    expect(sent('finish_greeting')).toHaveLength(1);
  });
});
