import { expect, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { type SmallReply, type SmallRequest, startSmall } from './planted/small.js';

// A document of uploads, webhooks and cookies: a text is uploaded, a hook is told of it, and a cookie opens both.

const USER = { user: 'ada', password: 'a password of Ada' };
const OTHER = { user: 'ben', password: 'a password of Ben' };

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const no = { description: 'no', ...json(ref('Problem')) };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const hook = { description: 'the hook', ...json(ref('Hook')) };

const document = {
  openapi: '3.1.0',
  info: { title: 'Uploads', version: '1' },
  security: [{ session: [] }],
  paths: {
    '/login': {
      post: {
        operationId: 'logIn',
        security: [],
        requestBody: { required: true, ...json(ref('Login')) },
        responses: { 200: { description: 'a session', ...json(ref('Session')) }, 400: no, 401: no },
      },
    },
    '/me': { get: { operationId: 'getMe', responses: { 200: { description: 'who', ...json(ref('Me')) }, 401: no } } },
    '/texts': {
      post: {
        operationId: 'upload',
        requestBody: {
          required: true,
          content: { 'text/plain': { schema: { type: 'string', minLength: 1, maxLength: 400 } } },
        },
        responses: {
          201: {
            description: 'stored',
            headers: { Location: { required: true, schema: { type: 'string' } } },
            ...json(ref('Stored')),
          },
          ...{ 400: no, 401: no, 415: no },
        },
      },
    },
    '/texts/{id}': {
      parameters: [id],
      get: {
        operationId: 'getText',
        responses: { 200: { description: 'stored', ...json(ref('Stored')) }, 400: no, 401: no, 404: no },
      },
      delete: {
        operationId: 'deleteText',
        responses: { 204: { description: 'gone' }, 400: no, 401: no, 404: no },
      },
    },
    '/hooks': {
      get: {
        operationId: 'listHooks',
        responses: { 200: { description: 'all', ...json({ type: 'array', items: ref('Hook') }) }, 401: no },
      },
      post: {
        operationId: 'createHook',
        requestBody: { required: true, ...json(ref('NewHook')) },
        responses: { 201: hook, 400: no, 401: no },
        callbacks: {
          stored: {
            '{$request.body#/url}': {
              post: { requestBody: json(ref('Stored')), responses: { 204: { description: 'heard' } } },
            },
          },
        },
      },
    },
    '/hooks/{id}': {
      parameters: [id],
      get: { operationId: 'getHook', responses: { 200: hook, 400: no, 401: no, 404: no } },
      delete: { operationId: 'deleteHook', responses: { 204: { description: 'gone' }, 400: no, 401: no, 404: no } },
    },
  },
  webhooks: {
    stored: { post: { requestBody: json(ref('Stored')), responses: { 204: { description: 'heard' } } } },
  },
  components: {
    securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'sid' } },
    schemas: {
      Login: {
        type: 'object',
        required: ['user', 'password'],
        properties: {
          user: { type: 'string', minLength: 1, maxLength: 40 },
          password: { type: 'string', minLength: 1, maxLength: 80 },
        },
        additionalProperties: false,
      },
      Session: { type: 'object', required: ['sid'], properties: { sid: { type: 'string', minLength: 20 } } },
      Me: { type: 'object', required: ['user'], properties: { user: { type: 'string' } } },
      Stored: {
        type: 'object',
        required: ['id', 'size'],
        properties: { id: { type: 'string', format: 'uuid' }, size: { type: 'integer', minimum: 1, maximum: 400 } },
      },
      NewHook: {
        type: 'object',
        required: ['url'],
        properties: {
          url: { type: 'string', minLength: 1, maxLength: 80, pattern: '^https://[a-z.]+/[a-zA-Z0-9]*$' },
          events: { type: 'array', maxItems: 2, items: { type: 'string', enum: ['stored', 'deleted'] } },
        },
        additionalProperties: false,
      },
      Hook: {
        type: 'object',
        required: ['id', 'url', 'events'],
        properties: {
          id: { type: 'string', format: 'uuid' },
          url: { type: 'string' },
          events: { type: 'array', items: { type: 'string' } },
        },
      },
      Problem: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
    },
  },
};

const FAULTS = {
  'Location leads nowhere': 'location',
  'a text of JSON is taken': 'refusal',
  'a text too long is taken': 'refusal',
  'a hook loses its events': 'echo',
  'a hook in the list has another address': 'sequence',
  'others read hooks': 'isolation',
  'others list hooks': 'isolation',
  'others delete texts': 'isolation',
  'any cookie opens': 'authentication',
  'the cookie may stand in a header': 'authentication',
  'a deleted hook stays': 'revocation',
} as const;
type Fault = keyof typeof FAULTS;

interface Thing {
  id: string;
  owner: string;
  kind: 'texts' | 'hooks';
  body: Record<string, unknown>;
}

function uploads(fault?: Fault): (request: SmallRequest) => SmallReply {
  const has = (name: Fault) => name === fault;
  const things: Thing[] = [];
  const sessions = new Map<string, string>();
  const refuse = (error: string, status = 400): SmallReply => ({ status, body: { error } });

  function logIn(sent: Record<string, unknown>): SmallReply {
    const { user, password, ...others } = sent;
    const isText = (text: unknown, most: number) =>
      typeof text === 'string' && text !== '' && Array.from(text).length <= most;
    if (!isText(user, 40)) return refuse('user must be a text.');
    if (!isText(password, 80)) return refuse('password must be a text.');
    if (Object.keys(others).length > 0) return refuse(`${Object.keys(others).join()} is unknown.`);
    const who = [USER, OTHER].find((each) => each.user === user && each.password === password);
    if (who === undefined) return refuse('user or password is wrong.', 401);
    const sid = crypto.randomUUID();
    sessions.set(sid, who.user);
    return { status: 200, body: { sid } };
  }

  function make(kind: Thing['kind'], owner: string, body: Thing['body']): SmallReply {
    const thing = { id: crypto.randomUUID(), owner, kind, body };
    things.push(thing);
    const Location = `/${kind}/${has('Location leads nowhere') ? crypto.randomUUID() : thing.id}`;
    return { status: 201, body: { id: thing.id, ...body }, headers: { Location } };
  }

  function upload({ type, body }: SmallRequest, user: string): SmallReply {
    const isText = /^text\/plain(;\s*charset="?utf-8"?)?$/i.test(type);
    if (!isText && !(has('a text of JSON is taken') && type === 'application/json'))
      return refuse('The body must be text/plain.', 415);
    const size = Array.from(body).length;
    if (size === 0 || (size > 400 && !has('a text too long is taken'))) return refuse('1 to 400 characters.');
    return make('texts', user, { size: Math.min(size, 400) });
  }

  function createHook(sent: Record<string, unknown>, user: string): SmallReply {
    const { url, events = [], ...others } = sent;
    if (typeof url !== 'string' || url.length > 80 || !/^https:\/\/[a-z.]+\/[a-zA-Z0-9]*$/.test(url))
      return refuse('url must be an address.');
    const areEvents = Array.isArray(events) && events.length <= 2;
    if (!areEvents || !events.every((event) => event === 'stored' || event === 'deleted'))
      return refuse('events are stored and deleted.');
    if (Object.keys(others).length > 0) return refuse(`${Object.keys(others).join()} is unknown.`);
    return make('hooks', user, { url, events: has('a hook loses its events') ? [] : events });
  }

  function onOne(method: string, kind: string, id: string, user: string): SmallReply {
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) return refuse('id must be a uuid.');
    const index = things.findIndex((each) => each.kind === kind && each.id === id.toLowerCase());
    const thing = things[index];
    const open =
      (kind === 'hooks' && method === 'GET' && has('others read hooks')) ||
      (kind === 'texts' && method === 'DELETE' && has('others delete texts'));
    if (thing === undefined || (thing.owner !== user && !open)) return refuse('There is none.', 404);
    if (method === 'GET') return { status: 200, body: { id: thing.id, ...thing.body } };
    if (!(kind === 'hooks' && has('a deleted hook stays'))) things.splice(index, 1);
    return { status: 204 };
  }

  return (request) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const { path, type, headers } = request;
    const routes: [RegExp, string[]][] = [
      [/^\/login$/, ['POST']],
      [/^\/me$/, ['GET']],
      [/^\/texts$/, ['POST']],
      [/^\/hooks$/, ['GET', 'POST']],
      [/^\/(texts|hooks)\/[^/]+$/, ['GET', 'DELETE']],
    ];
    const methods = routes.find(([pattern]) => pattern.test(path))?.[1];
    if (methods === undefined) return refuse('There is no such path.', 404);
    if (!methods.includes(method))
      return { ...refuse('This method is not served here.', 405), headers: { Allow: methods.join(', ') } };
    const sent = /^application\/json(;\s*charset="?utf-8"?)?$/i.test(type) ? parsed(request.body) : undefined;
    if (path === '/login') return sent === undefined ? refuse('The body must be an object.') : logIn(sent);
    const [, cookie] = /(?:^|; )sid=([^;]*)/.exec(headers.cookie ?? '') ?? [];
    const sid = cookie ?? (has('the cookie may stand in a header') ? headers.authorization?.split(' ')[1] : undefined);
    const user = sessions.get(sid ?? '') ?? (has('any cookie opens') && sid ? USER.user : undefined);
    if (user === undefined) return refuse('Log in first.', 401);
    if (path === '/me') return { status: 200, body: { user } };
    if (path === '/texts') return upload(request, user);
    if (path === '/hooks' && method === 'POST')
      return sent === undefined ? refuse('The body must be an object.') : createHook(sent, user);
    if (path === '/hooks') {
      const rows = things.filter(({ kind, owner }) => kind === 'hooks' && (owner === user || has('others list hooks')));
      const other = has('a hook in the list has another address') && { url: 'https://example.org/' };
      return { status: 200, body: rows.map(({ id: own, body }) => ({ id: own, ...body, ...other })) };
    }
    const [, kind = '', own = ''] = path.split('/');
    return onOne(method, kind, own, user);
  };
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const run = async (fault?: Fault) =>
  await testContract({
    url: await startSmall(uploads(fault)),
    spec: document,
    login: { username: USER.user, password: USER.password },
    other: { login: { username: OTHER.user, password: OTHER.password } },
    seed: 9,
    fuzzRuns: 5,
    laws: { practices: ['echo', 'documented-credentials'] },
    ...(fault && { maxFaults: 1 }),
  });

test('a right server of uploads and hooks holds', { timeout: 60_000 }, async () => {
  const report = await run();
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.held, toSummary(report)).toBe(true);
});

test.each(Object.entries(FAULTS))('finds among uploads and hooks: %s', { timeout: 60_000 }, async (fault, check) => {
  const report = await run(fault as Fault);
  expect(
    report.failures.map((failure) => failure.check),
    toSummary(report),
  ).toContain(check);
});
