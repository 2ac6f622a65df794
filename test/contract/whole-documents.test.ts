import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ContractReport, toSummary } from '../../contract/index.js';
import { body, tested } from './small/document.js';
import { QUICK, type Server, teller, telling } from './small/reading.js';

// Documents whose YAML or base path is easily misread.

test('merge keys of YAML are merged', async () => {
  const text = `
openapi: 3.0.3
info: { title: Merged, version: '1' }
x-common: &common
  400: { description: bad }
  405: { description: no }
paths:
  /a:
    get:
      operationId: get
      responses:
        <<: *common
        200: { description: ok, content: { application/json: { schema: { type: object, required: [a] } } } }
`;
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-merge-'));
  const file = join(folder, 'spec.yaml');
  await writeFile(file, text);
  const paths = { '/a': { get: {} } };
  const run = (answer: Server): Promise<ContractReport> => tested({ paths }, answer, { ...QUICK, spec: file });
  const right = await run(telling({ a: 1 }));
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.operations[0]?.documented.toSorted()).toEqual(['200', '400', '405']);
  expect((await run(() => ({ status: 404, body: {} }))).failures.map(({ check }) => check)).toContain('status');
  await rm(folder, { recursive: true });
});

test('a base path of the document that the address lacks is told in one sentence', async () => {
  const spec = { ...teller(body({ type: 'object' })), servers: [{ url: '/api/v3' }] };
  const report = await tested({ ...spec, paths: { ...spec.paths, '/api/v3/a': { get: {} } } }, ({ path }) =>
    path === '/api/v3/a' ? { status: 200, body: {} } : { status: 404, body: {} },
  );
  expect(report).toMatchObject({ held: false, failures: [] });
  expect(report.ended).toMatch(
    /^the document has the base path \/api\/v3, which the URL lacks; use http:\/\/127\.0\.0\.1:\d+\/api\/v3$/,
  );
});
