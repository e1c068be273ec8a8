import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { t } from '../../src/i18n';
import { en } from '../../src/i18n/en';

const SOURCE = join(import.meta.dirname, '../../src');

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter(
    (file) =>
      /\.(ts|svelte)$/.test(file) && !file.startsWith('i18n') && !file.endsWith('bindings.ts'),
  )
  .map((file) => ({ file, text: readFileSync(join(SOURCE, file), 'utf8') }));
const everything = files.map(({ text }) => text).join('\n');

/** Keys that are put together from a prefix and a value of a closed type. */
const COMPOSED = [/^trouble\./];

describe('the catalogue', () => {
  it.each(Object.keys(en).filter((key) => !COMPOSED.some((prefix) => prefix.test(key))))(
    '%s is used',
    (key) => {
      expect(everything.includes(`'${key}'`)).toBe(true);
    },
  );

  it('has no empty text and no place that is not closed', () => {
    for (const [key, text] of Object.entries(en)) {
      expect(text.trim(), key).not.toBe('');
      expect(text.replace(/\{\w+\}/g, ''), key).not.toMatch(/[{}]/);
    }
  });

  it('fills places', () => {
    expect(t('reason.code', { code: 12345 })).toMatch(/Twilio error 12345/);
    expect(t('dialer.country', { e164: '+1', country: '{e164}' })).toBe('+1 · {e164}');
  });
});

describe('views', () => {
  const views = files.filter(({ file }) => file.endsWith('.svelte'));

  it.each(views)('$file writes no text of its own', ({ text }) => {
    const markup = text
      .replace(/<script[\s\S]*?<\/script>/g, '')
      .replace(/<style[\s\S]*?<\/style>/g, '')
      .replace(/<!--[\s\S]*?-->/g, '');
    // What stands between tags, without expressions, must be punctuation and digits at most.
    const written = stripExpressions(markup).replace(/<(?:"[^"]*"|'[^']*'|[^>"'])*>/g, ' ');
    expect(written.match(/\p{L}{2,}/gu) ?? []).toEqual([]);
    expect(markup).not.toMatch(/(?:aria-label|title|placeholder|alt)="[^"{]*\p{L}/u);
  });
});

/** `{…}` with everything inside, nested braces too. */
function stripExpressions(markup: string): string {
  let depth = 0;
  let rest = '';
  for (const character of markup) {
    if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    else if (depth === 0) rest += character;
  }
  return rest;
}
