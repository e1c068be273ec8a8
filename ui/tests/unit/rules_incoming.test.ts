import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { by, click, fill, openAnew, opened } from './account_page';
import { BUSY_OFFICE, SOUND } from './rules';
import { openPage, pause, problems, saved, select } from './rules_page';

beforeEach(openAnew);

describe('incoming calls', () => {
  it('get what is chosen for each case', async () => {
    await openPage('incoming');
    await select('case-open', 'menu');
    await select('case-busy', 'queue');
    await select('case-hidden_number', 'decline');
    expect((await saved()).incoming).toMatchObject({
      open: { type: 'menu' },
      busy: { type: 'queue' },
      hidden_number: { type: 'decline' },
    });
    await select('case-hidden_number', 'none');
    expect((await saved()).incoming.hidden_number).toBeNull();
  });

  it('cannot be answered by ringing where ringing came to nothing', async () => {
    await openPage('incoming');
    for (const each of ['no_answer', 'busy', 'do_not_disturb', 'offline']) {
      const values = [...(by(`case-${each}`) as HTMLSelectElement).options].map(
        ({ value }) => value,
      );
      expect(values).not.toContain('ring');
      expect(values).not.toContain('menu');
    }
  });

  it('are forwarded to a number, which is read when its field is left', async () => {
    await openPage('incoming');
    await select('case-no_answer', 'forward');
    await pause();
    expect(problems()).toMatch(/Enter the number to forward to/);
    await fill('case-no_answer-to', '+44 20 7946 0018');
    expect(problems()).toMatch(/no whole number/);
    await fireEvent.blur(by('case-no_answer-to'));
    await opened.settled();
    expect(problems()).toBe('');
    expect((await saved()).incoming.no_answer).toEqual({ type: 'forward', to: '+442079460018' });
  });

  it('hear a sentence of the agent’s, which comes back with its choice', async () => {
    await openPage('incoming');
    await select('case-busy', 'message');
    await fill('case-busy-prompt-text', 'Bitte später.');
    await select('case-busy-prompt-language', 'de-DE');
    await select('case-busy', 'voicemail');
    await select('case-busy', 'message');
    expect((await saved()).incoming.busy).toEqual({
      type: 'message',
      prompt: { type: 'say', text: 'Bitte später.', language: 'de-DE' },
    });
  });

  it('ring for as long as is chosen, where they ring at all', async () => {
    await openPage('incoming');
    await select('case-open', 'voicemail');
    expect(screen.queryByTestId('ring-time')).toBeNull();
  });
});

describe('the queue of the rules', () => {
  it('has greeting, music and limits', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await fill('queue-greeting-text', 'Please hold.');
    await click('tell-position');
    await select('queue-music', 'silence');
    await fill('longest-wait', '5');
    await fill('most-waiting', '3');
    await select('overflow', 'message');
    expect((await saved()).incoming.queue).toMatchObject({
      greeting: { text: 'Please hold.' },
      tell_position: false,
      music: { type: 'silence' },
      longest_wait_s: 300,
      most_waiting: 3,
      overflow: { type: 'message' },
    });
  });

  it('says where the place is not told, because the greeting is not in English', async () => {
    await openPage('incoming');
    const words = () => by('queue-rules').textContent;
    expect(words()).toMatch(/In English, each time/);
    await select('queue-greeting-language', 'de-DE');
    expect(words()).toMatch(/Your greeting is in German.*callers are not told/);
    await select('queue-greeting-language', 'en-GB');
    expect(words()).not.toMatch(/callers are not told/);
  });

  it('needs a recording to play one', async () => {
    await openPage('incoming', BUSY_OFFICE);
    await select('queue-music', 'recording');
    expect(problems()).toMatch(/Choose a recording/);
    await select('queue-sound', SOUND);
    expect((await saved()).incoming.queue.music).toEqual({ type: 'recording', sound: SOUND });
  });
});
