import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { body, document } from './small/document.js';
import { answers, object, REFUSED, refusals, type Server, teller, telling, testReadings } from './small/reading.js';

// Paths, media types, encodings and bodies that are easily misread.

const streamed = body({ type: 'string' }, 'text/event-stream');
/** A server whose answers have no end. */
const endless = (type: string): Server => {
  return () => ({
    status: 200,
    headers: { 'Content-Type': type },
    write(response) {
      response.write('data: 1\n\n');
      const timer = setInterval(() => response.write('data: 1\n\n'), 50);
      response.on('close', () => {
        clearInterval(timer);
      });
    },
  });
};

const packed = (value: unknown, encoding: string, pack: (text: string) => Buffer): Server => {
  return () => ({
    status: 200,
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': encoding },
    write: (response) => response.end(pack(JSON.stringify(value))),
  });
};

const written = (type: string, text: string): Server => {
  return () => ({ status: 200, headers: { 'Content-Type': type }, write: (response) => response.end(text) });
};

/** A server that creates things, and lists the first five of them, or as many as `most` makes of the limit. */
function listing(most: (limit: number) => number): Server {
  let made = 0;
  return ({ method, query }) => {
    if (method === 'POST') return { status: 201, body: { id: ++made } };
    const limit = query.get('limit') ?? '5';
    if (!/^[1-9]$/.test(limit)) return REFUSED;
    const ids = Array.from({ length: Math.min(made, most(Number(limit))) }, (_, index) => ({ id: index + 1 }));
    return { status: 200, body: ids };
  };
}

/** A server that lists the newest rows, of which `growth` come with each request; without a limit, `usual` rows. */
function newestOf(usual: number, growth: number): Server {
  let newest = 20;
  return ({ query }) => {
    const limit = query.get('limit') ?? String(usual);
    if (!/^[1-9]$/.test(limit)) return REFUSED;
    newest += growth;
    return { status: 200, body: Array.from({ length: Number(limit) }, (_, index) => ({ id: newest - index })) };
  };
}

const UUID_OR_NOTHING = /^([\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})?$/i;

const row = object(['id', 'size', 'filters'], {
  id: { type: 'integer' },
  size: { type: 'integer' },
  filters: { type: 'array', items: { type: 'object' } },
});
const sorting = document({
  '/a': {
    get: {
      operationId: 'list',
      parameters: [
        { name: 'sort', in: 'query', schema: { type: 'string', enum: ['size'] } },
        { name: 'direction', in: 'query', schema: { type: 'string', enum: ['ASC', 'DESC'] } },
        { name: 'filter', in: 'query', content: { 'application/json': { schema: { type: 'object' } } } },
      ],
      responses: { ...refusals, 200: body({ type: 'array', items: row }) },
    },
  },
});

/** A server that lists three rows, the largest first unless the query has another direction. */
function sorted(by: 'id' | 'size'): Server {
  return ({ query }) => {
    const [sort = 'size', direction = 'DESC'] = [query.get('sort') ?? undefined, query.get('direction') ?? undefined];
    if (sort !== 'size' || !['ASC', 'DESC'].includes(direction) || !isObjectText(query.get('filter') ?? '{}'))
      return REFUSED;
    const rows = [5, 9, 7].map((size, id) => ({ id, size, filters: [{ id, is: size }] }));
    rows.sort((a, b) => (direction === 'ASC' ? a[by] - b[by] : b[by] - a[by]));
    return { status: 200, body: rows };
  };
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const digit = { type: 'integer', minimum: 1, maximum: 9 };
const inPath = { name: 'id', in: 'path', required: true, schema: digit };

testReadings({
  'a cookie with a pattern': {
    spec: document({
      '/a': {
        get: {
          operationId: 'get',
          parameters: [
            { name: 'sid', in: 'cookie', required: true, schema: { type: 'string', pattern: '^[^;]{3,8}$' } },
          ],
          responses: answers,
        },
      },
    }),
    right: ({ headers: { cookie = '' } }) => {
      const [, sid = ''] = /(?:^|; )sid=([^;]*)/.exec(cookie) ?? [];
      return Array.from(sid).length >= 3 && Array.from(sid).length <= 8 ? { status: 200, body: {} } : REFUSED;
    },
    wrong: () => ({ status: 200, body: {} }),
    finds: 'refusal',
  },
  'a stream of events without end': {
    spec: teller(streamed),
    right: endless('text/event-stream'),
    wrong: endless('text/plain'),
    finds: 'content-type',
    options: { answerTimeoutMs: 700 },
    note: /^get: the body of 200 is not checked: a stream has no end$/,
  },
  'a body that does not end': {
    spec: teller(body({ type: 'array' })),
    right: endless('application/json'),
    wrong: endless('text/html'),
    finds: 'content-type',
    options: { answerTimeoutMs: 700 },
    note: /^get: the body of 200 is not checked: the body does not end in time$/,
  },
  'a media type in other letters': {
    spec: teller(body({ type: 'object' })),
    right: telling({}, { 'Content-Type': 'Application/JSON; Charset=UTF-8' }),
    wrong: telling({}, { 'Content-Type': 'Application/JSON5' }),
    finds: 'content-type',
  },
  'a documented media type in other letters': {
    spec: teller(body({ type: 'object' }, 'Application/Vnd.Acme+JSON')),
    right: telling({}, { 'Content-Type': 'application/vnd.acme+json' }),
    wrong: telling([], { 'Content-Type': 'application/vnd.acme+json' }),
    finds: 'body',
  },
  'a path with a space': {
    spec: document({ '/my files/{id}': { get: { operationId: 'get', parameters: [inPath], responses: answers } } }),
    right: ({ path }) => (/^\/my%20files\/[1-9]$/.test(path) ? { status: 200, body: {} } : REFUSED),
    wrong: ({ path }) => (/^\/my%20files\/\d+$/.test(path) ? { status: 200, body: {} } : REFUSED),
    finds: 'refusal',
  },
  'a path beyond ASCII': {
    spec: document({ '/café/ключ': { get: { operationId: 'get', responses: answers } } }),
    right: ({ path }) =>
      path === `/${encodeURIComponent('café')}/${encodeURIComponent('ключ')}`
        ? { status: 200, body: {} }
        : { status: 404, body: {} },
    wrong: ({ path }) => (path.includes('%') ? { status: 200, body: [] } : { status: 404, body: {} }),
    finds: 'body',
  },
  'a 200 without content that has a body': {
    spec: teller({ description: 'ok' }),
    right: telling({ a: 1 }),
    wrong: () => ({ status: 201, body: { a: 1 } }),
    finds: 'status',
    note: /^get: 200 has a body that the document does not describe$/,
  },
  'an answer in gzip': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'gzip', gzipSync),
    wrong: packed({ b: 1 }, 'gzip', gzipSync),
    finds: 'body',
  },
  'an answer in deflate': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'deflate', deflateSync),
    wrong: packed({ b: 1 }, 'deflate', deflateSync),
    finds: 'body',
  },
  'an answer in Brotli': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'br', brotliCompressSync),
    wrong: packed({ b: 1 }, 'br', brotliCompressSync),
    finds: 'body',
  },
  'an empty text for a uuid that may be null': {
    spec: document({
      '/a': {
        get: {
          operationId: 'get',
          parameters: [{ name: 'id', in: 'query', schema: { type: 'string', format: 'uuid', nullable: true } }],
          responses: answers,
        },
      },
    }),
    right: ({ query }) => (UUID_OR_NOTHING.test(query.get('id') ?? '') ? { status: 200, body: {} } : REFUSED),
    wrong: () => ({ status: 200, body: {} }),
    finds: 'refusal',
  },
  'an empty part of a form that may be null': {
    spec: document({
      '/a': {
        post: {
          operationId: 'post',
          requestBody: {
            required: true,
            ...body(
              object(['id'], { id: { type: 'string', format: 'uuid', nullable: true } }),
              'application/x-www-form-urlencoded',
            ),
          },
          responses: answers,
        },
      },
    }),
    right: ({ body: sent, type }) => {
      const form = new URLSearchParams(sent);
      const isForm = /^application\/x-www-form-urlencoded/i.test(type);
      const isRight = isForm && form.getAll('id').length === 1 && UUID_OR_NOTHING.test(form.get('id') ?? '');
      return isRight ? { status: 200, body: {} } : REFUSED;
    },
    wrong: () => ({ status: 200, body: {} }),
    finds: 'refusal',
  },
  'a required object without members in the query': {
    spec: document({
      '/a': {
        get: {
          operationId: 'get',
          parameters: [
            {
              name: 'options',
              in: 'query',
              required: true,
              schema: object([], { size: digit }, { additionalProperties: false }),
            },
          ],
          responses: answers,
        },
      },
    }),
    right: ({ query }) => (/^[1-9]$/.test(query.get('size') ?? '1') ? { status: 200, body: {} } : REFUSED),
    wrong: telling([]),
    finds: 'body',
  },
  'a sort beside its direction, and a filter in a language of its own': {
    spec: sorting,
    right: sorted('size'),
    wrong: sorted('id'),
    finds: 'filter',
  },
  'a list with a limit and no way on': {
    spec: document({
      '/a': {
        get: {
          operationId: 'list',
          parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 9 } }],
          responses: { ...refusals, 200: body({ type: 'array', items: object(['id'], { id: { type: 'integer' } }) }) },
        },
        post: {
          operationId: 'make',
          responses: { ...refusals, 201: body(object(['id'], { id: { type: 'integer' } })) },
        },
      },
    }),
    right: listing((limit) => limit),
    wrong: listing((limit) => limit + 1),
    finds: 'paging',
  },
  'a list that grows by itself': {
    spec: document({
      '/a': {
        get: {
          operationId: 'list',
          parameters: [{ name: 'limit', in: 'query', schema: { ...digit, default: 5 } }],
          responses: { ...refusals, 200: body({ type: 'array', items: object(['id'], { id: { type: 'integer' } }) }) },
        },
      },
    }),
    right: newestOf(5, 1),
    wrong: newestOf(4, 0),
    finds: 'default',
  },
  'lines of JSON': {
    spec: teller(body(object(['a'], { a: { type: 'integer' } }), 'application/x-ndjson')),
    right: written('application/x-ndjson', '{"a":1}\n{"a":2}\n'),
    wrong: written('application/x-ndjson', '{"a":1}\n{"b":2}\n'),
    finds: 'body',
  },
  'lines of JSON whose schema is a list': {
    spec: teller(body({ type: 'array', items: object(['a'], {}), maxItems: 2 }, 'application/jsonl')),
    right: written('application/jsonl', '{"a":1}\r\n{"a":2}'),
    wrong: written('application/jsonl', '{"a":1}\n{"a":2}\n{"a":3}\n'),
    finds: 'body',
  },
  'lines of JSON whose schema is a text': {
    spec: teller(body({ type: 'string' }, 'application/jsonl')),
    right: written('application/jsonl', ''),
    wrong: written('application/jsonl', '{"a":1}\n{"a":2'),
    finds: 'body',
  },
  'a form of several parts': {
    spec: document({
      '/a': {
        post: {
          operationId: 'put',
          requestBody: {
            required: true,
            ...body(object(['file'], { file: { type: 'string', format: 'binary' } }), 'multipart/form-data'),
          },
          responses: answers,
        },
      },
    }),
    right: ({ type, body: sent }) =>
      /^multipart\/form-data; ?boundary=/.test(type) && sent.includes('name="file"')
        ? { status: 200, body: {} }
        : REFUSED,
    wrong: ({ type }) => (/^multipart\/form-data/.test(type) ? { status: 200, body: {} } : REFUSED),
    finds: 'refusal',
  },
  'a body of XML': {
    spec: document({
      '/a': {
        post: {
          operationId: 'put',
          requestBody: {
            required: true,
            ...body(
              object(['a'], { a: { type: 'string', enum: ['one', 'two'] } }, { xml: { name: 'thing' } }),
              'application/xml',
            ),
          },
          responses: answers,
        },
      },
    }),
    right: ({ type, body: sent }) =>
      /^application\/xml/.test(type) && /<thing>\s*<a>(one|two)<\/a>/.test(sent) ? { status: 200, body: {} } : REFUSED,
    wrong: ({ type, body: sent }) =>
      /^application\/xml/.test(type) && /<a>one<\/a>/.test(sent) ? { status: 200, body: {} } : REFUSED,
    finds: 'acceptance',
  },
});
