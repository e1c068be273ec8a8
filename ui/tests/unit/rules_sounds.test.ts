import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { by, click, openAnew, opened, sent } from './account_page';
import { refusal } from './program';
import { SOUND } from './rules';
import { openPage, problems, saved, select } from './rules_page';

beforeEach(openAnew);

describe('recordings that callers hear', () => {
  const wav = (name = 'Summer.wav', head = 'RIFF....WAVEfmt ') =>
    new File([head], name, { type: 'audio/wav' });
  const NEW = 'f'.repeat(32);

  async function choose(file: File): Promise<void> {
    await fireEvent.change(by('greeting-sound-file'), { target: { files: [file] } });
    await opened.settled();
    await opened.settled();
  }

  beforeEach(async () => {
    await openPage('incoming');
    await click('greeting-play');
  });

  it('are chosen from those there are, or added', async () => {
    expect(problems()).toMatch(/Choose a recording/);
    opened.program.answers.add_sound = ({ label }: { label: string }) => ({
      name: NEW,
      label,
      duration_s: 12,
    });
    await choose(wav());
    expect(sent('add_sound')).toEqual([{ label: 'Summer', wav_base64: btoa('RIFF....WAVEfmt ') }]);
    expect((by('greeting-sound') as HTMLSelectElement).selectedOptions[0]?.textContent).toBe(
      'Summer · 12 s',
    );
    expect((await saved()).incoming.voicemail.greeting).toEqual({ type: 'play', sound: NEW });
  });

  it('are WAV files of a size that is kept', async () => {
    await choose(wav('a.wav', 'ID3 an MP3 file'));
    expect(by('greeting').textContent).toMatch(/no WAV file/);
    const large = wav();
    Object.defineProperty(large, 'size', { value: 11 * 1024 * 1024 });
    await choose(large);
    expect(by('greeting').textContent).toMatch(/larger than 10 MB/);
    expect(sent('add_sound')).toEqual([]);
  });

  it('say why they are not taken', async () => {
    opened.program.answers.add_sound = () => refusal('The recording is longer than five minutes.');
    await choose(wav());
    expect(by('greeting').textContent).toMatch(/longer than five minutes/);
  });

  it('can be heard', async () => {
    opened.program.answers.sound = () => ({ wav_base64: btoa('RIFF....WAVE') });
    await select('greeting-sound', SOUND);
    await click('greeting-sound-play');
    expect(sent('sound')).toEqual([{ name: SOUND }]);
    expect(by('greeting-sound-player').getAttribute('src')).toMatch(/^blob:/);
    expect(by('greeting-sound-player').getAttribute('aria-label')).toMatch(/Harbour greeting/);
  });

  it('are deleted once that is confirmed', async () => {
    await select('greeting-sound', SOUND);
    await click('greeting-sound-delete');
    expect(by('greeting').textContent).toMatch(/Delete “Harbour greeting”/);
    await click('greeting-sound-delete-confirm');
    expect(sent('delete_sound')).toEqual([{ name: SOUND }]);
    expect((by('greeting-sound') as HTMLSelectElement).textContent).toMatch(/No recordings yet/);
  });

  it('give way to a text again, which is the one that was there', async () => {
    await click('greeting-say');
    expect((by('greeting-text') as HTMLTextAreaElement).value).toMatch(/leave a message/);
    expect(screen.queryByTestId('rules-bar')).toBeNull();
  });
});
