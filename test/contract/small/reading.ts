import { describe, expect, test } from 'vitest';
import { type Check, type ContractOptions, toSummary } from '../../../contract/index.js';
import type { SmallReply, SmallRequest } from '../planted/small.js';
import { body, document, tested } from './document.js';

export type Server = (request: SmallRequest) => SmallReply;

/** A correct document that is easily misread, with a correct server and one that is wrong in exactly that point. */
export interface Reading {
  spec: { paths: object; [name: string]: unknown };
  right: Server;
  wrong: Server;
  finds: Check;
  options?: Partial<ContractOptions>;
  /** A note in the report of the right server. */
  note?: RegExp;
}

export const refusals = { 400: body({}), 404: body({}), 405: { description: 'no' }, 415: body({}) };
export const answers = { 200: body({ type: 'object' }), ...refusals };
export const REFUSED: SmallReply = { status: 400, body: {} };
export const object = (required: string[], properties: object, more: object = {}) => ({
  type: 'object',
  required,
  properties,
  ...more,
});

/** A document with one operation that takes a body of JSON. */
export function taker(schema: object, schemas: object = {}, openapi = '3.0.3') {
  const post = { operationId: 'put', requestBody: { required: true, ...body(schema) }, responses: answers };
  return { ...document({ '/a': { post } }, { schemas }), openapi };
}

/** A document with one operation that only answers. */
export function teller(response: object, openapi = '3.0.3') {
  const get = { operationId: 'get', responses: { ...refusals, 200: response } };
  return { ...document({ '/a': { get } }), openapi };
}

export type Value = Record<string, unknown>;

/** A server that accepts the JSON bodies for which `fits` is true. */
export function taking(fits: (value: Value) => boolean): Server {
  return ({ body: sent, type }) => {
    if (!/^application\/json/i.test(type)) return REFUSED;
    try {
      const value: unknown = JSON.parse(sent);
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      return isObject && fits(value as Value) ? { status: 200, body: {} } : REFUSED;
    } catch {
      return REFUSED;
    }
  };
}

/** A server that answers every request with this value. */
export const telling =
  (value: unknown, headers: Record<string, string> = {}): Server =>
  () => ({ status: 200, body: value, headers });

export const isInteger = (value: unknown): value is number => Number.isInteger(value);

export const QUICK = { fuzzRuns: 5 };

/** One test for each reading: the right server has no fault, and the wrong one has the fault that the reading names. */
export function testReadings(readings: Record<string, Reading>): void {
  describe('a document that is easily misread', { concurrent: true }, () => {
    test.each(Object.entries(readings))('%s', async (_, { spec, right, wrong, finds, options, note }) => {
      const kept = await tested(spec, right, { ...QUICK, ...options });
      expect(kept.failures, toSummary(kept)).toEqual([]);
      expect(kept.held, toSummary(kept)).toBe(true);
      if (note !== undefined) expect(kept.notes.filter((line) => note.test(line))).toHaveLength(1);
      const broken = await tested(spec, wrong, { ...QUICK, ...options });
      expect(
        broken.failures.map(({ check }) => check),
        toSummary(broken),
      ).toContain(finds);
    });
  });
}
