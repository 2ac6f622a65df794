import { describe, expect, test } from 'vitest';
import { instant, lifetime, seconds } from '../../cli/account/flags.js';
import { relative } from '../../cli/output/moment.js';
import { table } from '../../cli/output/table.js';
import { fitted, toJson, visible, widthOf } from '../../cli/output/text.js';
import { latchkey } from '../support/process.js';

const NOW = Date.parse('2030-06-15T12:00:00.000Z');

function after(seconds: number): string {
  return new Date(NOW + seconds * 1_000).toISOString();
}

test.each([
  [0, 'now'],
  [-9, 'now'],
  [10, 'in 10 seconds'],
  [-89, '89 seconds ago'],
  [90, 'in 2 minutes'],
  [-3 * 3_600, '3 hours ago'],
  [24 * 3_600, 'in 24 hours'],
  [36 * 3_600, 'in 2 days'],
  [89.6 * 86_400, 'in 90 days'],
  [-99 * 86_400, '99 days ago'],
  [120 * 86_400, 'in 4 months'],
  [365 * 86_400, 'in 12 months'],
  [-3 * 365 * 86_400, '3 years ago'],
])('%d seconds from now is %s', (offset, expected) => {
  expect(relative(after(offset), NOW)).toBe(expected);
});

test('no instant is never', () => {
  expect(relative(null, NOW)).toBe('never');
});

describe('text that somebody else wrote', () => {
  test.each([
    ['\u001B[2J\u0007', '\\u{1b}[2J\\u{7}'],
    ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['\u009B31m', '\\u{9b}31m'],
    ['\u202Egnp.exe', '\\u{202e}gnp.exe'],
    ['\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['\uD800', '\\u{d800}'],
    ['👩‍👩‍👧 naïve 日本', '👩‍👩‍👧 naïve 日本'],
  ])('%j cannot drive a terminal', (text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  test('is the same in JSON, and as harmless there', () => {
    const value = { name: 'a\u009B31m\u202E\u001Bb', list: ['\u2028'] };
    const json = toJson(value);
    expect(JSON.parse(json)).toEqual(value);
    expect(json).not.toMatch(/[\u001B\u007F-\u009F\u2028\u202E]/);
  });

  test('is measured and cut in columns, between whole characters', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('👩‍👩‍👧')).toBe(2);
    expect(fitted('deploy bot', 10)).toBe('deploy bot');
    expect(fitted('deploy bot', 9)).toBe('deploy b…');
    expect(fitted('日本語', 5)).toBe('日本…');
    expect(fitted('日本語', 4)).toBe('日…');
    expect(fitted('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  });
});

test('a table that does not fit narrows what shrinks, the widest first, and then leaves out the last columns', () => {
  const columns = [
    { title: 'A', text: (row: string) => row, shrinks: true },
    { title: 'B', text: () => 'b'.repeat(12), shrinks: true },
    { title: 'C', text: () => 'exact' },
  ];
  const at = (width: number) =>
    table(columns, ['a'.repeat(30)], { forPeople: true, width, paint: (_, text) => text }).split('\n')[1];
  expect(at(51)).toBe(`${'a'.repeat(30)}  ${'b'.repeat(12)}  exact`);
  expect(at(40)).toBe(`${'a'.repeat(18)}…  ${'b'.repeat(12)}  exact`);
  expect(at(30)).toBe(`${'a'.repeat(9)}…  ${'b'.repeat(10)}…  exact`);
  expect(at(25)).toBe(`${'a'.repeat(7)}…  ${'b'.repeat(7)}…  exact`);
  expect(at(24)).toBe(`${'a'.repeat(7)}…  ${'b'.repeat(7)}…`);
  expect(at(5)).toBe(`${'a'.repeat(7)}…`);
});

test('flags for times take what people write', () => {
  expect(lifetime('90d')).toBe(90);
  expect(lifetime('2w')).toBe(14);
  expect(lifetime('never')).toBe('never');
  expect(seconds('24h')).toBe(86_400);
  expect(seconds('7d')).toBe(604_800);
  expect(instant('2026-12-31')).toBe('2026-12-31T00:00:00.000Z');
  expect(instant('2026-12-31T12:00:00+02:00')).toBe('2026-12-31T12:00:00+02:00');
  expect(Math.abs(Date.parse(instant('-30d')) - (Date.now() - 30 * 86_400_000))).toBeLessThan(5_000);
  expect(Math.abs(Date.parse(instant('+12h')) - (Date.now() + 12 * 3_600_000))).toBeLessThan(5_000);
});

test.each([['--help'], ['scan', '--help'], ['completion', 'bash']])(
  'a reader of `%s %s` that is gone is no fault',
  async (...words) => {
    const prefix = ['sh', '-c', '"$@" | true', 'sh'];
    expect(await latchkey(words, { prefix })).toEqual({ code: 0, stdout: '', stderr: '' });
  },
);

test.each([['-v'], ['-V'], ['--version']])('%s prints the version', async (flag) => {
  const finished = await latchkey([flag]);
  expect(finished).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: '' });
});
