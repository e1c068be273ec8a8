import { describe, expect, it } from 'vitest';
import { backspace, insert, onlyDecorationLost, reformat } from '../../src/phone/number_field';

/** `|` stands for the caret. */
function field(written: string): { text: string; caret: number } {
  return { text: written.replace('|', ''), caret: written.indexOf('|') };
}
function written({ text, caret }: { text: string; caret: number }): string {
  return `${text.slice(0, caret)}|${text.slice(caret)}`;
}

describe('the caret stays behind the same digit', () => {
  it.each([
    ['+12025|', '+1 202-5', '+1 202-5|'],
    ['+1|2025550100', '+1 202-555-0100', '+1| 202-555-0100'],
    ['+1202|5550100', '+1 202-555-0100', '+1 202|-555-0100'],
    ['|+12025550100', '+1 202-555-0100', '|+1 202-555-0100'],
    ['+1 202-5|55-0100', '+12025550100', '+12025|550100'],
    ['(415) 5|55', '4155|55', '4155|55'],
  ])('%s as %s', (before, formatted, after) => {
    expect(written(reformat(field(before), formatted.replace('|', '')))).toBe(after);
  });
});

describe('deleting', () => {
  it.each([
    ['+1 202|', '+1 20|'],
    ['+1 |202', '+|202'],
    ['(415) |', '(41|'],
    ['|123', '|123'],
    ['|', '|'],
  ])('takes the digit before the caret of %s', (before, after) => {
    expect(written(backspace(field(before)))).toBe(after);
  });

  it('is noticed when it took only what formatting puts back', () => {
    expect(onlyDecorationLost('+1 202', '+1202')).toBe(true);
    expect(onlyDecorationLost('+1 202', '+1 20')).toBe(false);
    expect(onlyDecorationLost('+1202', '+1 202')).toBe(false);
  });
});

it('inserts at the caret', () => {
  expect(written(insert(field('12|34'), '+'))).toBe('12+|34');
});
