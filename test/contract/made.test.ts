import { expect, test } from 'vitest';
import type { ContractReport } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// What a run expects of a thing that it has made: right servers that are easily misjudged, and beside each a wrong one.

const told = ({ failures }: ContractReport) => failures.map(({ check, message }) => `${check}: ${message}`);
const idOf = { name: 'name', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-z]{1,20}$' } };
const label = { type: 'string', pattern: '^[a-z]{1,20}$' };
const meta = {
  type: 'object',
  required: ['name', 'label'],
  properties: { name: label, label },
  additionalProperties: false,
};
interface Pod {
  metadata: { name: string; label: string };
  spec: object;
}
const Pod = { type: 'object', required: ['metadata'], properties: { metadata: meta, spec: { type: 'object' } } };
const NewPod = { ...Pod, properties: { metadata: meta, spec: { type: 'object', default: {} } } };
const no = body({ type: 'object' });
const pods = document(
  {
    '/pods': {
      post: {
        operationId: 'createPod',
        requestBody: { required: true, ...body(NewPod) },
        responses: { 201: body(Pod), 400: no, 415: no },
      },
    },
    '/pods/{name}': {
      parameters: [idOf],
      get: { operationId: 'getPod', responses: { 200: body(Pod), 400: no, 404: no } },
      put: {
        operationId: 'replacePod',
        requestBody: { required: true, ...body({ ...Pod }) },
        responses: { 200: body(Pod), 400: no, 404: no, 415: no },
      },
    },
  },
  {},
  { openapi: '3.1.0' },
);

/** Things whose id is a member of an object, and whose `spec` the server fills in. */
function cluster({ filled = { replicas: 1 }, changes = (pod: Pod) => pod } = {}) {
  const kept = new Map<string, Pod>();
  const isText = (value: unknown): value is string => typeof value === 'string' && /^[a-z]{1,20}$/.test(value);
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const read = ({ type, body: text }: SmallRequest): Pod | number => {
    if (!/^application\/json/i.test(type)) return 415;
    try {
      const { metadata, spec = filled } = JSON.parse(text) as Record<string, unknown>;
      if (!isObject(metadata) || !isText(metadata['name']) || !isObject(spec)) return 400;
      const { name, label: own, ...others } = metadata;
      if (!isText(own) || Object.keys(others).length > 0) return 400;
      return { metadata: { name, label: own }, spec };
    } catch {
      return 400;
    }
  };
  return (request: SmallRequest): SmallReply => {
    const name = request.path.split('/')[2] ?? '';
    if (request.method === 'POST') {
      const pod = read(request);
      if (typeof pod === 'number') return { status: pod, body: {} };
      kept.set(pod.metadata.name, pod);
      return { status: 201, body: pod };
    }
    if (!isText(name)) return { status: 400, body: {} };
    const before = kept.get(name);
    if (before === undefined) return { status: 404, body: {} };
    if (request.method !== 'PUT') return { status: 200, body: before };
    const pod = read(request);
    if (typeof pod === 'number') return { status: pod, body: {} };
    // Whatever name a body has, a thing keeps its own.
    const after = changes({ ...pod, metadata: { ...pod.metadata, name } });
    kept.set(name, after);
    return { status: 200, body: after };
  };
}

const options = { fuzzRuns: 3 };

test('a server fills in an object that is left out, and a thing keeps the name in its path', async () => {
  expect(told(await tested(pods, cluster(), options))).toEqual([]);
  const swaps = (pod: Pod) => ({ ...pod, metadata: { ...pod.metadata, label: 'zzz' } });
  expect(told(await tested(pods, cluster({ changes: swaps }), options))).toContain(
    'sequence: after replacePod, metadata in the answer differs from what was sent',
  );
});

test('what is only accepted may be there later', async () => {
  const jobs = (status: number) =>
    document({
      '/jobs': {
        post: {
          operationId: 'createJob',
          responses: { [status]: body({ type: 'object', properties: { id: { type: 'string' } } }) },
        },
      },
      '/jobs/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        get: { operationId: 'getJob', responses: { 200: no, 404: no } },
      },
    });
  const answer =
    (status: number) =>
    ({ method }: SmallRequest): SmallReply =>
      method === 'POST' ? { status, body: { id: 'later' } } : { status: 404, body: {} };
  expect(told(await tested(jobs(202), answer(202), options))).toEqual([]);
  expect(told(await tested(jobs(201), answer(201), options))).toContain('sequence: what was just created gets 404');
});

test('a dynamic reference with several targets is told, and leaves what is behind it open', async () => {
  const node = (properties: object) => ({ $dynamicAnchor: 'node', type: 'object', properties });
  const spec = document(
    { '/a': { get: { operationId: 'a', responses: { 200: body({ $ref: '#/components/schemas/Tree' }) } } } },
    {
      schemas: {
        Tree: node({ children: { type: 'array', items: { $dynamicRef: '#node' } } }),
        Other: node({}),
      },
    },
    { openapi: '3.1.0' },
  );
  const report = await tested(spec, () => ({ status: 200, body: { children: [1] } }), options);
  expect(told(report)).toEqual([]);
  expect(report.notes).toContainEqual(
    expect.stringMatching(/^a \$dynamicRef is not followed .*: #node at #\/components\/schemas\/Tree\/properties/),
  );
});

test('an empty body with a media type may be refused where a body is optional, no body may not', async () => {
  const spec = document({
    '/notes': {
      post: {
        operationId: 'createNote',
        requestBody: body({ type: 'object', properties: { text: { type: 'string' } } }),
        responses: { 201: no, 400: no, 415: no },
      },
    },
  });
  const server =
    (bare: number) =>
    ({ type, body: sent }: SmallRequest): SmallReply => {
      if (type === '' && sent === '') return { status: bare, body: {} };
      if (!/^application\/json/i.test(type)) return { status: 415, body: {} };
      try {
        const { text = '' } = JSON.parse(sent) as { text?: unknown };
        const isGood = typeof text === 'string' && !/^\s*[["\dtfn-]/.test(sent);
        return { status: isGood ? 201 : 400, body: {} };
      } catch {
        return { status: 400, body: {} };
      }
    };
  expect(told(await tested(spec, server(201), options))).toEqual([]);
  expect(told(await tested(spec, server(400), options))).toContainEqual(
    expect.stringMatching(/^acceptance: .* gets 400/),
  );
});

test('a part of a form with the media type of another value may be refused', async () => {
  const binary = { type: 'object', required: ['file'], properties: { file: { type: 'string', format: 'binary' } } };
  const spec = document({
    '/files': {
      post: {
        operationId: 'upload',
        requestBody: { required: true, ...body(binary, 'multipart/form-data') },
        responses: { 201: no, 400: no, 415: no },
      },
    },
  });
  const server =
    (isStrict: boolean) =>
    ({ type, body: sent }: SmallRequest): SmallReply => {
      if (!/^multipart\/form-data/i.test(type)) return { status: 415, body: {} };
      const files = sent.split('name="file"').length - 1;
      const isOdd = /content-type: application\/json/i.test(sent) || (isStrict && /octet-stream/.test(sent));
      return { status: files !== 1 || isOdd ? 400 : 201, body: {} };
    };
  expect(told(await tested(spec, server(false), options))).toEqual([]);
  expect(told(await tested(spec, server(true), options))).toContainEqual(expect.stringMatching(/^acceptance: /));
});
