import { expect, test } from 'vitest';
import { createPace } from '../server/pace.js';

test('a pace follows its measurements', () => {
  const pace = createPace(1);
  for (let round = 0; round < 20; round++) pace.observe(40, 10);
  expect(pace.timeFor(5)).toBeCloseTo(20, 3);
  expect(pace.countWithin(40)).toBe(10);
});

test('one stall counts as three times the pace, and is forgotten', () => {
  const pace = createPace(1);
  pace.observe(10_000, 1);
  expect(pace.timeFor(1)).toBe(2);
  for (let round = 0; round < 20; round++) pace.observe(10, 10);
  expect(pace.timeFor(1)).toBeCloseTo(1, 3);
});

test('at least one piece is begun, however long each takes', () => {
  const pace = createPace(500);
  expect(pace.countWithin(20)).toBe(1);
});
