import { expect, test } from 'vitest';
import { createWelcome } from '../../server/http/welcome.js';

function welcomeAt(at: number) {
  const clock = { at };
  return { clock, welcome: createWelcome({ longest: 20, least: 1, now: () => clock.at }) };
}

test('requests wait while connections arrive, and only if their work takes long', () => {
  const { welcome } = welcomeAt(1_000);
  expect(welcome.goesFirst(50)).toBe(false);
  welcome.accepted();
  expect(welcome.goesFirst(0.5)).toBe(false);
  welcome.accepted();
  expect(welcome.goesFirst(50)).toBe(true);
  // No connection arrived in this turn.
  expect(welcome.goesFirst(50)).toBe(false);
});

test('requests have a turn after the longest welcome, and then connections go first again', () => {
  const { clock, welcome } = welcomeAt(1_000);
  const turns = [];
  for (let turn = 0; turn < 6; turn++) {
    welcome.accepted();
    turns.push(welcome.goesFirst(50));
    clock.at += 8;
  }
  expect(turns).toEqual([true, true, true, false, true, true]);
});
