import { fireEvent, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Rules } from '../../src/host/bindings';
import { by, click, fill, openAnew, opened, sent } from './account_page';
import { refusal } from './program';
import { PREVIEW } from './rules';
import { openPage, select } from './rules_page';

beforeEach(openAnew);

describe('the preview', () => {
  it('plays the rules as they stand, and shows the conversation', async () => {
    await openPage('incoming');
    await select('case-open', 'menu');
    let answer = (): void => undefined;
    opened.program.answers.preview_incoming = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(PREVIEW);
        };
      });
    await fill('preview-keys', '2 -x1');
    await select('preview-agent', 'busy');
    await select('preview-caller', 'hidden');
    await click('preview-play');
    expect(sent('preview_incoming')).toHaveLength(1);
    const [{ rules, script }] = sent('preview_incoming') as [{ rules: Rules; script: unknown }];
    expect(rules.incoming.open).toEqual({ type: 'menu' });
    expect(script).toEqual({
      at: null,
      agent: 'busy',
      keys: '2-1',
      hidden_number: true,
      agent_answers: false,
    });
    answer();
    await opened.settled();
    const lines = within(by('preview-lines')).getAllByRole('listitem');
    expect(lines).toHaveLength(PREVIEW.length);
    expect(lines[1]?.textContent).toMatch(/Caller hears.*0:01.*Welcome to Harbour Dental/);
  });

  it('plays another time', async () => {
    await openPage('incoming');
    await select('preview-when', 'at');
    await fill('preview-date', '2026-12-25');
    await fill('preview-time', '18:30');
    await fireEvent.blur(by('preview-time'));
    await click('preview-answers');
    await click('preview-play');
    expect(sent('preview_incoming')).toMatchObject([
      {
        script: {
          at: { date: { year: 2026, month: 12, day: 25 }, weekday: 4, minute: 1110 },
          agent_answers: true,
        },
      },
    ]);
  });

  it('says why it could not be played', async () => {
    await openPage('incoming');
    opened.program.answers.preview_incoming = () => refusal('The practice Twilio did not start.');
    await click('preview-play');
    expect(by('preview-failed').textContent).toMatch(/did not start/);
  });

  it('does not play what is wrong', async () => {
    await openPage('incoming');
    await fill('ring-time', '');
    await opened.settled();
    await click('preview-play');
    expect(sent('preview_incoming')).toEqual([]);
  });
});
