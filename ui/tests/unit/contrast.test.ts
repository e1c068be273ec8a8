import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../../src/styles/tokens.css'), 'utf8');
const [, dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function tokens(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
}
const light = tokens(css.slice(0, css.indexOf('@media')));
const themes = { light, dark: { ...light, ...tokens(dark) } };

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dim = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dim + 0.05);
}

const TEXT = 4.5;
const SHAPE = 3;

describe.each(Object.entries(themes))('%s', (_theme, colours) => {
  it.each([
    ['text', 'ground', TEXT],
    ['text', 'surface', TEXT],
    ['text', 'raised', TEXT],
    ['text', 'raised-active', TEXT],
    ['text', 'amber-soft', TEXT],
    ['text', 'red-soft', TEXT],
    ['text', 'accent-soft', TEXT],
    ['red-text', 'red-soft', TEXT],
    ['text-soft', 'accent-soft', TEXT],
    ['text-soft', 'ground', TEXT],
    ['text-soft', 'surface', TEXT],
    ['text-soft', 'raised', TEXT],
    ['ground', 'text', TEXT],
    ['accent', 'ground', TEXT],
    ['accent', 'surface', TEXT],
    ['accent', 'accent-soft', TEXT],
    ['on-accent', 'accent', TEXT],
    ['on-green', 'green', TEXT],
    ['on-green', 'green-hover', TEXT],
    ['on-red', 'red', TEXT],
    ['on-red', 'red-hover', TEXT],
    ['red-text', 'ground', TEXT],
    ['red-text', 'surface', TEXT],
    ['amber', 'ground', TEXT],
    ['amber', 'amber-soft', TEXT],
    ['accent', 'raised', TEXT],
    ['accent', 'amber-soft', TEXT],
    ['accent', 'red-soft', TEXT],
    ['edge', 'ground', SHAPE],
    ['edge', 'surface', SHAPE],
    ['focus', 'ground', SHAPE],
    ['focus', 'raised', SHAPE],
    ['dot-green', 'surface', SHAPE],
    ['dot-amber', 'surface', SHAPE],
    ['dot-grey', 'surface', SHAPE],
    ['green', 'ground', SHAPE],
    ['red', 'ground', SHAPE],
  ])('%s on %s', (front, back, least) => {
    expect(contrast(colours[front] ?? '', colours[back] ?? '')).toBeGreaterThanOrEqual(least);
  });
});
