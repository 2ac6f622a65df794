import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errors } from '../../web/console/words/errors.js';
import * as words from '../../web/console/words.js';

// The console's texts for what comes from the service.

const { components } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
  components: { schemas: Record<'ErrorCode' | 'EventAction', { enum: string[] }> };
};

test('every error code of the contract has a sentence of its own, and so has each that the client adds', () => {
  const codes = [...components.schemas.ErrorCode.enum, 'network_error', 'timeout', 'unexpected_answer'];
  expect(Object.keys(errors).sort()).toEqual(codes.sort());
  for (const sentence of Object.values(errors)) {
    const text = typeof sentence === 'string' ? sentence : (sentence as (value: unknown) => string)(7);
    expect(text).toMatch(/^[A-Z][^]{10,}(\.|7)$/);
    // A person reads it, and not a program.
    expect(text).not.toMatch(/undefined|\[object|If-Match|Idempotency|ETag/);
  }
});

test('every kind of event has a text', () => {
  expect(Object.keys(words.audit.actions).sort()).toEqual(components.schemas.EventAction.enum.toSorted());
});
