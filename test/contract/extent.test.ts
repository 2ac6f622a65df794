import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { toJUnit, toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';

// What a run has tested, and that it never says "holds" of what it has not.

const thing = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };
const answers = { 200: body(thing), 400: body({}), 404: body({}), 405: { description: 'no' } };
const many = (count: number) =>
  document(
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `/things${String(index)}`,
        { get: { operationId: `get${String(index)}`, responses: answers } },
      ]),
    ),
  );

test('a run without time tests nothing, and does not say that the contract holds', async () => {
  const report = await tested(many(150), () => ({ status: 200, body: { id: 'broken' } }), { timeMs: 1 });
  expect(report).toMatchObject({ held: false, complete: false, ended: 'stopped after 0.0 s' });
  expect(report.untested).toHaveLength(150);
  expect(report.untested[0]).toEqual({ operation: 'get0', reason: 'stopped after 0.0 s', succeeded: false });
  expect(toSummary(report)).toMatch(
    /is not fully tested against Small 1: stopped after 0\.0 s: 150 of 150 operations untested/,
  );
  expect(toJUnit(report)).toContain('failures="0" errors="0" skipped="150"');
  expect(toJUnit(report)).toContain('<skipped message="stopped after 0.0 s"/>');
});

test('each operation gets one good request before any gets many, and each its edges in turns', async () => {
  const asked: string[] = [];
  const spec = many(40);
  const count = { name: 'count', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 9 } };
  for (const item of Object.values(spec.paths)) Object.assign(item.get, { parameters: [count] });
  await tested(spec, ({ path }) => {
    asked.push(path);
    return { status: 200, body: { id: 1 } };
  });
  // The first request asks whether anybody is there.
  expect(new Set(asked.slice(1, 41)).size).toBe(40);
  const halfway = asked.slice(0, asked.length / 2).filter((path) => path === '/things39');
  expect(halfway.length).toBeGreaterThan(10);
});

test('the time bounds the whole run, slow answers and begun cases included', async () => {
  const slow = async () => {
    await pause(300);
    return { status: 200, body: { id: 1 } };
  };
  const report = await tested(many(20), slow, { timeMs: 1_500 });
  // All operations together would take 6 seconds.
  expect(report.durationMs).toBeLessThan(3_500);
  expect(report).toMatchObject({ held: false, complete: false, ended: 'stopped after 1.5 s', failures: [] });
  expect(report.untested.filter(({ succeeded }) => succeeded).length).toBeGreaterThan(0);
  expect(report.untested.filter(({ succeeded }) => !succeeded).length).toBeGreaterThan(0);
  expect(toSummary(report)).toMatch(/stopped after 1\.5 s: 1\d of 20 operations untested, \d tested in part/);
});

test('an operation that never succeeds is untested, and told with its statuses', async () => {
  const refusing = ({ path }: { path: string }) =>
    path === '/things1' ? { status: 404, body: {} } : { status: 200, body: { id: 1 } };
  const report = await tested(many(2), refusing);
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ held: false, complete: false, ended: undefined });
  expect(report.untested).toEqual([
    { operation: 'get1', reason: expect.stringMatching(/^it never succeeded: 404×\d+$/) as string, succeeded: false },
  ]);
  const allowed = await tested(many(2), refusing, { allowIncomplete: true });
  expect(allowed).toMatchObject({ held: true, complete: false });
});

test('a success that is not documented is none', async () => {
  const report = await tested(many(1), () => ({ status: 202, body: { id: 1 } }));
  expect(report.untested[0]?.reason).toMatch(/^it never succeeded: 202×/);
});

test('what the credential may not do is listed with its statuses and leaves the run complete', async () => {
  const spec = document(
    {
      '/mine': { get: { operationId: 'getMine', responses: answers } },
      '/all': { get: { operationId: 'getAll', responses: { ...answers, 403: body({}) } } },
    },
    { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
    { security: [{ key: [] }] },
  );
  const guarded =
    (forbids: (path: string) => boolean) =>
    ({ path, headers }: { path: string; headers: { 'x-key'?: string } }) => {
      if (headers['x-key'] !== 'right') return { status: 401, body: {} };
      return forbids(path) ? { status: 403, body: {} } : { status: 200, body: { id: 1 } };
    };
  for (const path of Object.values(spec.paths)) Object.assign(path.get.responses, { 401: body({}) });
  const report = await tested(spec, guarded((path) => path === '/all') as never, { token: 'right' });
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ held: true, complete: true, untested: [] });
  expect(report.notes).toEqual([expect.stringMatching(/^the run's credential may not call getAll: 403×\d+$/)]);
  const open = { ...spec, paths: { ...spec.paths, '/mine': { get: { ...spec.paths['/all'].get, operationId: 'a' } } } };
  const nothing = await tested(open, guarded(() => true) as never, { token: 'right' }).catch((error: unknown) => error);
  expect(String(nothing)).toMatch(/the server rejects the credential/);
});
