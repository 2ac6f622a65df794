import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  createService,
  createWebhook,
  type NewAccessToken,
  putExternalUser,
  refreshSession,
  revokeAccessToken,
  testWebhook,
  updateUser,
  updateWebhook,
} from '../generated/index.js';
import type { Handlers } from '../server/contract/contract.js';
import { openUsers } from '../server/index.js';
import { isOnPostgres } from './support/databases.js';
import { createFaultyDatabase, type Fault } from './support/faulty-database.js';
import { gitHubKeysFile, newGitHubKey, signedByGitHub } from './support/github.js';
import { answered, type Service, startService } from './support/service.js';
import { shapeOf } from './support/shape.js';
import { openConnection } from './support/socket.js';
import { change, rowsOf } from './support/store.js';

// Walks the contract: each operation is asked for each status that it documents, on a real server, and every answer is
// held against the document by a judge that the server knows nothing of.

interface SpecOperation {
  operationId: string;
  security?: unknown[];
  requestBody?: { content: Record<string, { examples: Record<string, Ref> }> };
  responses: Record<string, SpecResponse | Ref>;
}
interface SpecResponse {
  headers?: Record<string, Ref>;
  content?: Record<string, { examples?: Record<string, Ref> }>;
}
interface Ref {
  $ref: string;
}
interface Case {
  id: string;
  method: string;
  path: string;
  status: number;
  operation: SpecOperation;
}

const document = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, SpecOperation>>;
};
const judge = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(judge);
judge.addSchema(document, 'contract');

/** What is wrong with a request is found before the database is asked, so that these run on one engine. */
const OF_INPUT = [400, 413, 415, 422];

const cases: Case[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    Object.keys(operation.responses)
      .map(Number)
      .filter((status) => !isOnPostgres || !OF_INPUT.includes(status))
      .map((status) => ({ id: operation.operationId, method: method.toUpperCase(), path, status, operation })),
  ),
);

/** Streams that the test's server ends; without a reference to their answers, Node would close them. */
const streams: Response[] = [];

const FORM = 'application/x-www-form-urlencoded';
const GITHUB = newGitHubKey();
const REQUEST_ID = '6f1c9a52d0b84e7f';
const UUID = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
const UNKNOWN = {
  token_id: UUID,
  id: '4711',
  user_id: '4711',
  webhook_id: UUID,
  delivery_id: UUID,
  service_id: '4711',
  external_id: 'cus_4711',
};

test.each(cases)('$id answers $status as documented', async (wanted) => {
  const faulty = createFaultyDatabase();
  const isOfGitHub = wanted.id === 'reportGitHubSecrets' && wanted.status !== 404;
  const service = await startService({
    openDatabase: (path) => faulty.open(path),
    ...(wanted.id === 'applyPolicy' && { requireExpiry: true }),
    ...(isOfGitHub && { githubKeysUrl: (await gitHubKeysFile(GITHUB)).url }),
  });
  const response = await provoke(wanted, service, (fault) => {
    faulty.set(fault);
  });
  // Closing writes lastUsedAt.
  faulty.set('none');

  expect(response.status).toBe(wanted.status);
  const pointer = `/paths/${escapePointer(wanted.path)}/${wanted.method.toLowerCase()}/responses/${String(wanted.status)}`;
  const documented = resolve<SpecResponse>(wanted.operation.responses[String(wanted.status)] ?? { $ref: '' });
  for (const [name, header] of Object.entries(documented.value.headers ?? {})) {
    const { required = false } = resolve<{ required?: boolean }>(header).value;
    if (required) expect(response.headers.get(name), name).not.toBeNull();
  }
  const [mediaType] = Object.keys(documented.value.content ?? {});
  if (mediaType === 'text/event-stream') {
    expect(response.headers.get('Content-Type')).toBe(mediaType);
    await response.body?.cancel();
    return;
  }
  const text = await response.text();
  if (mediaType === undefined) {
    expect(text).toBe('');
    return;
  }
  expect(response.headers.get('Content-Type')).toMatch(new RegExp(`^${mediaType}(; charset=utf-8)?$`));
  if (mediaType !== 'application/json') return;

  const body: unknown = JSON.parse(text);
  const schema = `contract#${documented.pointer ?? pointer}/content/application~1json/schema`;
  const holds = judge.validate({ $ref: encodeURI(schema) }, body);
  expect(holds, judge.errorsText()).toBe(true);
  const examples = Object.values(documented.value.content?.[mediaType]?.examples ?? {}).map(
    (example) => resolve<{ value: unknown }>(example).value.value,
  );
  if (wanted.status < 300) {
    if (examples.length > 0) expect(examples.map(shapeOf)).toContainEqual(shapeOf(body));
  } else if (wanted.status !== 400 && wanted.status !== 422) {
    expect(examples).toContainEqual(body);
  }
});

test('the examples of bad input are real answers', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const noName = { expiration_time: '2030-02-30T00:00:00Z' } as Parameters<typeof createPrivateToken>[0]['body'];
  expect((await createPrivateToken({ client, body: noName })).error).toEqual(example('FieldErrors'));
  const misspelt = { expireInDays: 90 } as unknown as NewAccessToken;
  expect((await createAccessToken({ client, body: misspelt })).error).toEqual(example('InvalidInput'));
  const noJson = await createPrivateToken({ client, body: noName, bodySerializer: () => '{"name":' });
  expect(noJson.error).toEqual(example('NoJson'));
});

test('both documents are served as they are', async () => {
  const { url } = await startService();
  expect(await (await fetch(`${url}/openapi.json`)).json()).toEqual(document);
  expect(await (await fetch(`${url}/openapi.yaml`)).text()).toBe(readFileSync('openapi.yaml', 'utf8'));
});

test('only a description stands beside a $ref, because openapi-backend drops what stands there', () => {
  const visit = (node: unknown, path: string): string[] => {
    if (typeof node !== 'object' || node === null) return [];
    const members = Object.keys(node).filter((name) => name !== '$ref' && name !== 'description');
    const beside = '$ref' in node && members.length > 0 ? [path] : [];
    return [...beside, ...Object.entries(node).flatMap(([key, value]) => visit(value, `${path}/${key}`))];
  };
  expect(visit(document, '#')).toEqual([]);
});

test('a missing handler and an answer of the wrong shape do not compile', () => {
  // @ts-expect-error: no handler at all
  const missing: Handlers = {};
  // @ts-expect-error: a status that the contract does not know
  const wrong: Pick<Handlers, 'getHealth'> = { getHealth: () => ({ body: { status: 'well' } }) };
  // @ts-expect-error: a body where the contract has none
  const superfluous: Pick<Handlers, 'logOut'> = { logOut: () => ({ body: { status: 'ok' } }) };
  expect([missing, wrong, superfluous]).toHaveLength(3);
});

/** Sends what the operation answers with the wanted status. */
async function provoke(wanted: Case, service: Service, breakDatabase: (fault: Fault) => void): Promise<Response> {
  const { id, status, operation } = wanted;
  const person = await service.admin();
  const privateToken = await answered(
    createPrivateToken({
      client: person.client,
      body: { name: 'deploy bot', expiration_time: '2031-01-01T00:00:00Z' },
    }),
  );
  const pat = await answered(
    createAccessToken({
      client: person.client,
      body: { name: 'deploy bot', metadata: { team: 'platform' }, expiresInDays: 90 },
    }),
  );

  if (id === 'applyPolicy' && status === 200)
    await change(service, `update access_tokens set expires_at = null where type = 'pat'`);

  const isSecured = operation.security?.length !== 0;
  const headers: Record<string, string> = { 'X-Request-Id': REQUEST_ID };
  if (isSecured) headers['Authorization'] = `Bearer ${person.token}`;
  if (id.endsWith('BrowserSession')) headers['Sec-Fetch-Site'] = 'same-origin';
  if (id === 'refreshBrowserSession') headers['Cookie'] = `vai_refresh=${person.session.refresh_token}`;
  // Hashing a password takes its time.
  const isAboutTwo = wanted.path.includes('/users') || id === 'transferAccessTokens';
  const other = isAboutTwo ? await service.newUser('ada@example.net') : person;
  const url = 'https://hooks.example.org/latchkey';
  const hook = () =>
    answered(createWebhook({ client: person.client, body: { url, eventTypes: ['token.created', 'token.revoked'] } }));
  const made = wanted.path.startsWith('/api/v1/webhooks') ? await hook() : undefined;
  const ids = {
    token_id: pat.token.id,
    id: String(privateToken.id),
    user_id: String(other.session.id),
    webhook_id: made?.webhook.id ?? '',
    delivery_id: '',
    external_id: 'cus_42',
  };
  const hookPath = { webhook_id: ids.webhook_id };
  if (/deliver/i.test(id)) {
    ids.delivery_id = (await answered(testWebhook({ client: person.client, path: hookPath }))).id;
  }
  let path = filled(wanted.path, ids);
  let body = exampleBody(operation);
  if (id === 'refreshSession') body = { refresh_token: person.session.refresh_token };
  if (id === 'listPrivateTokens') path += '?page_size=1';
  if (id === 'listAccessTokens' || id === 'listUsers' || id === 'listAuditEvents') path += '?limit=1';
  if (id === 'revokeAccessTokens') body = { ids: [pat.token.id], dryRun: true };
  if (id === 'transferAccessTokens') body = { ids: [pat.token.id], to: other.session.id, dryRun: true };
  if (id === 'updateService') {
    const service = await answered(
      createService({ client: person.client, body: { fullName: 'deploy jobs', scopes: ['tokens:read'] } }),
    );
    path = filled(wanted.path, { ...ids, service_id: String(service.id) });
  }
  if (id === 'listServices') {
    const managers = [person.session.id];
    await answered(createService({ client: person.client, body: { fullName: 'jobs', managers, scopes: ['a:b'] } }));
  }
  if (wanted.path.includes('{external_id}') && status !== 201) {
    const customer = { fullName: 'Shop of Ada', email: 'ada@shop.example', metadata: { plan: 'gold' } };
    await answered(putExternalUser({ client: person.client, path: { external_id: ids.external_id }, body: customer }));
  }
  if (id === 'offboardUser') body = { tokens: 'transfer', to: person.session.id };
  const isForm = operation.requestBody !== undefined && !('application/json' in operation.requestBody.content);
  if (isForm || id.startsWith('verifyAccessToken')) body = withToken(body, pat.plaintext);
  let signed: string | undefined;
  const send = () => {
    if (body !== undefined) headers['Content-Type'] ??= isForm ? FORM : 'application/json';
    const text =
      body === undefined || typeof body === 'string'
        ? body
        : isForm
          ? String(new URLSearchParams(body as Record<string, string>))
          : JSON.stringify(body);
    if (id === 'reportGitHubSecrets') Object.assign(headers, signedByGitHub(GITHUB, signed ?? text ?? ''));
    return fetch(service.url + path, { method: wanted.method, headers, ...(text !== undefined && { body: text }) });
  };

  switch (status) {
    case 200:
      if (path.includes('/current')) headers['Authorization'] = `Bearer ${pat.plaintext}`;
      break;
    case 400:
    case 422:
      if (id === 'createPrivateToken' && status === 422) {
        headers['Idempotency-Key'] = 'once';
        await send();
        body = { name: 'another', expiration_time: '2031-01-01T00:00:00Z' };
        break;
      }
      path += `${path.includes('?') ? '&' : '?'}nonsense=1`;
      break;
    case 401:
      delete headers['Authorization'];
      if (id === 'logIn') body = { username: person.email, password: 'wrong' };
      if (id === 'openBrowserSession') body = { username: person.email, password: 'wrong' };
      if (id === 'refreshSession') body = { refresh_token: person.token };
      if (id === 'refreshBrowserSession') headers['Cookie'] = `vai_refresh=${person.token}`;
      break;
    case 403:
      if (wanted.method === 'GET' || isForm) {
        const body = { name: 'may do nothing', scopes: [] };
        const { plaintext } = await answered(createAccessToken({ client: person.client, body }));
        headers['Authorization'] = `Bearer ${plaintext}`;
        break;
      }
      if (id === 'reportGitHubSecrets') {
        signed = 'another body';
        break;
      }
      if (id === 'logIn') {
        const users = await openUsers(service.database);
        await users.disable(person.email, { force: true });
        await users.close();
      }
      delete headers['Authorization'];
      headers['Cookie'] = `vai_token=${person.token}`;
      headers['Sec-Fetch-Site'] = 'cross-site';
      break;
    case 404:
      path = filled(wanted.path, UNKNOWN);
      if (id === 'listPrivateTokens') path += '?page=2';
      // Nothing but their owner can be missing.
      if (/^\/api\/v1\/access-tokens(\/counts|\/limits|\/revoke)?$/.test(wanted.path)) path += '?owner=4711';
      if (id === 'transferAccessTokens') body = { ids: [pat.token.id], to: 4711 };
      if (id === 'createService') body = { fullName: 'deploy jobs', managers: [4711] };
      break;
    case 409:
      if (/ExternalUser$/.test(id)) {
        await change(
          service,
          `insert into offboardings (user_id, to_id, begun_at, sessions, tokens, cut)
            select id, null, 1, 0, 0, 0 from users where external_id is not null`,
        );
        if (wanted.method === 'PUT') body = { disabled: false };
      } else if (id === 'createWebhook') {
        for (let count = 1; count < 50; count++) await hook();
      } else if (/^(testWebhook|redeliver)/.test(id)) {
        await answered(updateWebhook({ client: person.client, path: hookPath, body: { enabled: false } }));
      } else if (id === 'updateWebhook') {
        body = { url: 'https://10.0.0.1/' };
      } else if (id === 'rotateWebhookSecret') {
        await change(service, 'update secret_keys set digest = (select digest from token_secrets limit 1)');
      } else if (id === 'createUser') {
        body = { email: other.email };
      } else if (id === 'updateUser') {
        path = filled(wanted.path, { user_id: String(person.session.id) });
      } else if (id === 'transferAccessTokens') {
        await answered(
          updateUser({ client: person.client, path: { user_id: other.session.id }, body: { disabled: true } }),
        );
      } else if (id === 'offboardUser') {
        path = filled(wanted.path, { user_id: String(person.session.id) });
        body = { tokens: 'revoke' };
      } else if (id.endsWith('ExternalUser')) {
        body = id === 'putExternalUser' ? { fullName: 'Shop of Ada', disabled: false } : undefined;
        await change(
          service,
          `update users set disabled_at = 1 where external_id = '${ids.external_id}'`,
          `insert into offboardings (user_id, begun_at, sessions, tokens, cut)
            select id, 1, 0, 0, 0 from users where external_id = '${ids.external_id}'`,
        );
      } else if (id === 'updateAccessToken') {
        await revokeAccessToken({ client: person.client, path: { token_id: pat.token.id } });
      } else {
        headers['Idempotency-Key'] = 'once';
        await send();
        const { refresh_token } = person.session;
        const refreshed = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
        headers['Authorization'] = `Bearer ${refreshed.access_token}`;
      }
      break;
    case 410:
      await expect.poll(() => rowsOf(service, 'select 1 from audit_heads'), { timeout: 5_000 }).toHaveLength(1);
      await change(service, 'update audit_heads set seq = 1042, pruned_seq = 1042');
      path += '?after=7';
      break;
    case 412:
      headers['If-Match'] = '"AAAAAAAAAAAAAAAA"';
      break;
    case 413:
      body = ' '.repeat(65_537);
      break;
    case 415:
      headers['Content-Type'] = 'text/plain';
      break;
    case 429:
      if (id === 'reportLeakedCredentials') {
        for (let report = 0; report < 60; report++) await send();
        break;
      }
      if (id === 'followEvents') {
        for (let opened = 0; opened < 10; opened++) streams.push(await send());
        break;
      }
      body =
        id === 'changePassword'
          ? { currentPassword: 'wrong', newPassword: 'wrong as well' }
          : { username: person.email, password: 'wrong' };
      for (let failure = 0; failure < 10; failure++) await send();
      break;
    case 500:
      breakDatabase('bug');
      break;
    case 503:
      // The document itself asks no database.
      if (id.startsWith('getOpenApi')) return await sendUntilRefused(service, send);
      breakDatabase('storage');
      break;
  }
  return await send();
}

/** Sends amid far more requests than can be answered in time, until it is refused for that. */
async function sendUntilRefused({ url }: Service, send: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const connections = await Promise.all(Array.from({ length: 6 }, () => openConnection(url)));
    for (const connection of connections) {
      connection.write('HEAD /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(250));
    }
    const response = await send();
    if (response.status === 503) return response;
  }
}

/** Puts a token that is there in the place of the examples'. */
function withToken(body: unknown, plaintext: string): unknown {
  return JSON.parse(JSON.stringify(body).replace(/lk_pat_[0-9A-Za-z]{36}/, plaintext));
}

function filled(path: string, ids: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
}

function exampleBody(operation: SpecOperation): unknown {
  const [content] = Object.values(operation.requestBody?.content ?? {});
  const [first] = Object.values(content?.examples ?? {});
  return first && resolve<{ value: unknown }>(first).value.value;
}

function example(name: string): unknown {
  return resolve<{ value: unknown }>({ $ref: `#/components/examples/${name}` }).value.value;
}

function resolve<T extends object>(node: T | Ref): { value: T; pointer?: string } {
  if (!('$ref' in node)) return { value: node };
  const pointer = node.$ref.slice(1);
  const segments = pointer.split('/').slice(1);
  const value = segments.reduce<unknown>((at, segment) => (at as Record<string, unknown>)[segment], document) as T;
  return { value, pointer };
}

function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
