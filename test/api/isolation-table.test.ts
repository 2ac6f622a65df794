import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  createService,
  createWebhook,
  putExternalUser,
  updateService,
  updateUser,
  verifyAccessToken,
} from '../../generated/index.js';
import { type Answer, send } from '../support/http.js';
import { answered, type Client, type Person, type Service } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { contentOf, rowsOf } from '../support/store.js';

// Every operation, called by everybody. One character for each caller, in this order.

const CALLERS = [
  ['nobody', '-'],
  ['a manager who is disabled', 'd'],
  ['a stranger', 's'],
  ['the token of another external owner', 'e'],
  ['the token of another service', 'v'],
  ['the token of the external owner itself', 'i'],
  ['the token of the service itself', 'j'],
  ['a manager of the service', 'm'],
  ['a former manager of the service', 'f'],
  ['an acting token with no other scope', 'a'],
  ['the token of an administrator without scopes of administrators', 'p'],
  ['the token of an administrator without tokens:act-as', 'u'],
  ['the token of a backend', 'b'],
  ['the token of a service that is a backend', 'w'],
  ['an administrator', 'r'],
] as const;

/**
 * What each caller gets. `.` is an answer of 2xx. `1` is 401. `3` is 403 `insufficient_scope`, or on the other surfaces 403. `x` is
 * 404 `not_found`, and `o` is 404 `owner_not_found`. `c` is the 403 that refuses any credential. A space is not tried.
 */
type Letters = string;

/** A row: the operation, the request, and the letters. Words in capitals are replaced, see `make`. */
type Row = [operation: string, line: string, json: unknown, letters: Letters];

//                 -dsevijmfapubwr
const OF_EXTERNAL = '11333.333333...';
const OF_SERVICE = '113333..3333...';
const OF_PERSON = '11333333333.oo.';
const CREATES_FOR_PERSON = '113333333333ooo';
const OF_STRANGER = '11xxx.xxx3xxxxx';
const OF_PRIVATE_STRANGER = '11xxxxxxx3xxxxx';
const OWN = '11.......3.....';
const FOR_ADMINISTRATORS = '11333333333.33.';
const FOR_ACTING = '113333333.33...';
const FOR_SESSIONS_OF_ADMINISTRATORS = '11333333333333.';
const ANYBODY_WITH_CREDENTIAL = '11.............';

const NEW = { name: 'planted', scopes: [] };

/** The operations that name an owner, each for an external owner, a service and a person. */
function named(operation: string, line: string, json: unknown, ofPerson = OF_PERSON): Row[] {
  return [
    [operation, `${line}?externalOwner=EXTERNAL`, of('EXTERNAL', json), OF_EXTERNAL],
    [operation, `${line}?owner=OWNER`, of('EXTERNAL', json), OF_EXTERNAL],
    [operation, `${line}?owner=SERVICE`, of('SERVICE', json), OF_SERVICE],
    [operation, `${line}?owner=PERSON`, of('PERSON', json), ofPerson],
  ].map(([each, path, body, letters], index) => [
    each as string,
    // The token is the named owner's.
    (path as string).replace('TOKEN', ['OF_EXTERNAL', 'OF_EXTERNAL', 'OF_SERVICE', 'OF_PERSON'][index] ?? ''),
    body,
    letters as string,
  ]);
}

function of(owner: 'EXTERNAL' | 'SERVICE' | 'PERSON', json: unknown): unknown {
  return json === undefined ? undefined : (JSON.parse(JSON.stringify(json).replace('TOKEN', `OF_${owner}`)) as unknown);
}

const OWN_SCOPES = ['tokens:read', 'tokens:write'];
const NO_UUID = '497f6eca-6276-4993-bfeb-53cbbbba6f08';
const TOKENS = '/api/v1/access-tokens';
const PRIVATE = '/api/v1/auth/private_tokens/';
const USERS = '/api/v1/users';
const WEBHOOKS = '/api/v1/webhooks';

const TABLE: Row[] = [
  ...named('listAccessTokens', `GET ${TOKENS}`, undefined),
  ['listAccessTokens', `GET ${TOKENS}`, undefined, OWN],
  ...named('countAccessTokens', `GET ${TOKENS}/counts`, undefined),
  ['countAccessTokens', `GET ${TOKENS}/counts`, undefined, OWN],
  ...named('getTokenLimits', `GET ${TOKENS}/limits`, undefined),
  ['getTokenLimits', `GET ${TOKENS}/limits`, undefined, OWN],
  ...named('createAccessToken', `POST ${TOKENS}`, NEW, CREATES_FOR_PERSON),
  ['createAccessToken', `POST ${TOKENS}`, NEW, OWN],
  ...named('getAccessToken', `GET ${TOKENS}/TOKEN`, undefined),
  ['getAccessToken', `GET ${TOKENS}/OF_EXTERNAL`, undefined, OF_STRANGER],
  ...named('updateAccessToken', `PATCH ${TOKENS}/TOKEN`, { name: 'renamed' }, CREATES_FOR_PERSON),
  ['updateAccessToken', `PATCH ${TOKENS}/OF_EXTERNAL`, { name: 'renamed' }, OF_STRANGER],
  ...named('rotateAccessToken', `POST ${TOKENS}/TOKEN/rotate`, {}, CREATES_FOR_PERSON),
  ['rotateAccessToken', `POST ${TOKENS}/OF_EXTERNAL/rotate`, {}, OF_STRANGER],
  // Nobody reads the events of a person's token by this operation: that is what audit:read is for.
  ...named('listAccessTokenEvents', `GET ${TOKENS}/TOKEN/audit-events`, undefined, CREATES_FOR_PERSON),
  ['listAccessTokenEvents', `GET ${TOKENS}/OF_EXTERNAL/audit-events`, undefined, OF_STRANGER],
  ...named('transferAccessTokens', `POST ${TOKENS}/transfer`, { ids: ['TOKEN'], to: 'SELF' }),
  ...named('transferAccessTokens', `POST ${TOKENS}/transfer`, { ids: ['TOKEN'], to: 'SELF', dryRun: true }),
  ...named('transferAccessTokens', `POST ${TOKENS}/transfer`, { filter: { state: 'active' }, to: 'SELF' }),
  // From the caller to others.
  ['transferAccessTokens', `POST ${TOKENS}/transfer`, { filter: { q: 'none' }, to: 'OWNER' }, OF_EXTERNAL],
  ['transferAccessTokens', `POST ${TOKENS}/transfer`, { filter: { q: 'none' }, to: 'SERVICE' }, OF_SERVICE],
  ['transferAccessTokens', `POST ${TOKENS}/transfer`, { filter: { q: 'none' }, to: 'PERSON' }, OF_PERSON],
  // Strangers' tokens are not found, and nothing moves.
  ['transferAccessTokens', `POST ${TOKENS}/transfer`, { ids: ['OF_EXTERNAL', 'OF_PERSON'], to: 'SELF' }, OWN],
  ...named('revokeAccessTokens', `POST ${TOKENS}/revoke`, { ids: ['TOKEN'] }),
  ...named('revokeAccessTokens', `POST ${TOKENS}/revoke`, { filter: { state: 'active' }, dryRun: true }),
  ['revokeAccessTokens', `POST ${TOKENS}/revoke`, { ids: ['OF_EXTERNAL', 'OF_PERSON'] }, OWN],
  ...named('revokeAccessToken', `DELETE ${TOKENS}/TOKEN`, undefined),
  ['revokeAccessToken', `DELETE ${TOKENS}/OF_EXTERNAL`, undefined, OF_STRANGER],
  ['getCurrentAccessToken', `GET ${TOKENS}/current`, undefined, ANYBODY_WITH_CREDENTIAL],
  ['revokeCurrentAccessToken', `DELETE ${TOKENS}/current`, undefined, '11             '],
  ['rotateCurrentAccessToken', `POST ${TOKENS}/current/rotate`, {}, '11             '],

  ['listPrivateTokens', `GET ${PRIVATE}`, undefined, OWN],
  ['createPrivateToken', `POST ${PRIVATE}`, { name: 'a', expiration_time: '2031-01-01T00:00:00Z' }, OWN],
  ['revokePrivateToken', `DELETE ${PRIVATE}INTEGER/`, undefined, OF_PRIVATE_STRANGER],

  ['verifyAccessToken', `POST ${TOKENS}/verify`, { token: 'PLAINTEXT' }, '11.3333..33333.'],
  ['verifyAccessTokens', `POST ${TOKENS}/verify-batch`, { tokens: [{ token: 'PLAINTEXT' }] }, '11.3333..33333.'],
  ['introspectToken', 'POST /oauth/introspect', 'token=PLAINTEXT', '11.3333..33333.'],
  ['revokeOAuthToken', 'POST /oauth/revoke', 'token=lk_pat_unknown', ANYBODY_WITH_CREDENTIAL],

  ['listUsers', `GET ${USERS}`, undefined, FOR_ADMINISTRATORS],
  ['createUser', `POST ${USERS}`, { email: 'UNIQUE@example.org' }, FOR_ADMINISTRATORS],
  ['getUser', `GET ${USERS}/OWNER`, undefined, FOR_ADMINISTRATORS],
  ['getUser', `GET ${USERS}/SERVICE`, undefined, FOR_ADMINISTRATORS],
  ['getUser', `GET ${USERS}/PERSON`, undefined, FOR_ADMINISTRATORS],
  ['updateUser', `PATCH ${USERS}/OWNER`, { disabled: false }, FOR_ADMINISTRATORS],
  ['updateUser', `PATCH ${USERS}/SERVICE`, { fullName: 'renamed' }, FOR_ADMINISTRATORS],
  ['updateUser', `PATCH ${USERS}/PERSON`, { password: 'another password' }, FOR_ADMINISTRATORS],
  // Each caller sees the services that its owner manages, and no others.
  ['listServices', 'GET /api/v1/auth/me/services', undefined, OWN],
  ['listUsers', `GET ${USERS}?manages=PERSON`, undefined, FOR_ADMINISTRATORS],
  ['createService', `POST ${USERS}/services`, { fullName: 'more jobs' }, FOR_ADMINISTRATORS],
  ['updateService', `PATCH ${USERS}/services/SERVICE`, { scopes: null }, FOR_ADMINISTRATORS],
  ['offboardUser', `POST ${USERS}/OWNER/offboard`, { tokens: 'revoke', dryRun: true }, FOR_ADMINISTRATORS],
  ['offboardUser', `POST ${USERS}/SERVICE/offboard`, { tokens: 'transfer', to: 'ADMIN' }, '11333333333 33 '],
  ['offboardUser', `POST ${USERS}/PERSON/offboard`, { tokens: 'revoke' }, '11333333333 33 '],
  ['getExternalUser', `GET ${USERS}/external/EXTERNAL`, undefined, FOR_ACTING],
  ['putExternalUser', `PUT ${USERS}/external/EXTERNAL`, { fullName: 'renamed' }, FOR_ACTING],
  ['deleteExternalUser', `DELETE ${USERS}/external/FRESH`, undefined, FOR_ACTING],

  ['listAuditEvents', 'GET /api/v1/audit-events', undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['exportAuditEvents', 'GET /api/v1/audit-events/export', undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['followEvents', 'GET /api/v1/events', undefined, '11             '],

  ['listWebhooks', `GET ${WEBHOOKS}`, undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['createWebhook', `POST ${WEBHOOKS}`, { url: 'https://a.example/UNIQUE' }, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['getWebhook', `GET ${WEBHOOKS}/WEBHOOK`, undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['updateWebhook', `PATCH ${WEBHOOKS}/WEBHOOK`, { description: 'a' }, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['testWebhook', `POST ${WEBHOOKS}/WEBHOOK/test`, undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['listWebhookDeliveries', `GET ${WEBHOOKS}/WEBHOOK/deliveries`, undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  [
    'redeliverWebhookDelivery',
    `POST ${WEBHOOKS}/WEBHOOK/deliveries/${NO_UUID}/redeliver`,
    undefined,
    '11333333333333 ',
  ],
  [
    'redeliverWebhookDeliveries',
    `POST ${WEBHOOKS}/WEBHOOK/redeliver`,
    { since: '2030-01-01T00:00:00Z' },
    FOR_SESSIONS_OF_ADMINISTRATORS,
  ],
  ['rotateWebhookSecret', `POST ${WEBHOOKS}/WEBHOOK/rotate-secret`, {}, FOR_SESSIONS_OF_ADMINISTRATORS],
  ['deleteWebhook', `DELETE ${WEBHOOKS}/WEBHOOK`, undefined, FOR_SESSIONS_OF_ADMINISTRATORS],

  ['getPolicy', 'GET /api/v1/policy', undefined, FOR_SESSIONS_OF_ADMINISTRATORS],
  [
    'applyPolicy',
    'POST /api/v1/policy/apply',
    { action: 'revoke', inDays: 1, dryRun: true },
    FOR_SESSIONS_OF_ADMINISTRATORS,
  ],

  ['getMe', 'GET /api/v1/auth/me', undefined, ANYBODY_WITH_CREDENTIAL],
  ['logOut', 'POST /api/v1/auth/logout', undefined, '11             '],
  [
    'changePassword',
    'POST /api/v1/auth/password',
    { currentPassword: 'PASSWORD', newPassword: 'PASSWORD' },
    '11 3333  33333 ',
  ],
  ['reportLeakedCredentials', 'POST /api/v1/credentials/revoke', { credentials: ['PLAINTEXT'] }, ' cccccccccccccc'],

  // Ends the sessions of the person, too.
  ...named('revokeAllAccessTokens', `DELETE ${TOKENS}`, undefined),
];

/** Operations that take no credential, so that all callers are the same to them. */
const OPEN = [
  'reportGitHubSecrets',
  'logIn',
  'refreshSession',
  'openBrowserSession',
  'refreshBrowserSession',
  'getHealth',
  'getReadiness',
  'getOpenApiJson',
  'getOpenApiYaml',
];

interface Document {
  security: object[];
  paths: Record<string, Record<string, { operationId?: string; security?: object[] }>>;
}
const { paths } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as Document;
const OPERATIONS = Object.values(paths)
  .flatMap((path) => Object.values(path))
  .filter(({ operationId }) => operationId !== undefined);

test('every operation of the contract has a row, or takes no credential', () => {
  const ids = OPERATIONS.map(({ operationId }) => String(operationId));
  const known = new Set([...TABLE.map(([operation]) => operation), ...OPEN]);
  expect([...known].sort()).toEqual([...ids].sort());
  const open = OPERATIONS.filter(({ security }) => security?.length === 0).map(({ operationId }) => operationId);
  expect([...OPEN, 'reportLeakedCredentials'].sort()).toEqual(open.sort());
  for (const [, , , letters] of TABLE) expect(letters).toHaveLength(CALLERS.length);
});

async function tokenOf(client: Client, scopes: string[], query = {}) {
  return await answered(createAccessToken({ client, query, body: { name: 'key', scopes } }));
}

async function prepare(service: Service, admin: Person) {
  const { client } = admin;
  const people: Person[] = [];
  for (const name of ['person', 'stranger', 'manager', 'former', 'disabled']) {
    people.push(await service.newUser(`${name}@example.org`));
  }
  const [person, stranger, manager, former, disabled] = people as [Person, Person, Person, Person, Person];
  const managers = [manager, former, disabled].map(({ session }) => session.id);
  const jobs = await answered(createService({ client, body: { fullName: 'jobs', managers } }));
  const other = await answered(createService({ client, body: { fullName: 'other' } }));
  const backend = await answered(createService({ client, body: { fullName: 'backend' } }));
  const kept = { managers: managers.filter((id) => id !== former.session.id) };
  await answered(updateService({ client, path: { service_id: jobs.id }, body: kept }));
  await answered(updateUser({ client, path: { user_id: disabled.session.id }, body: { disabled: true } }));
  for (const external_id of ['cus_42', 'cus_43']) {
    await answered(putExternalUser({ client, path: { external_id }, body: { fullName: `Name of ${external_id}` } }));
  }
  const own = OWN_SCOPES;
  const foreign = await tokenOf(client, own, { externalOwner: 'cus_43' });
  const tokens: Record<string, { token: string | undefined; self: number }> = {
    '-': { token: undefined, self: 1 },
    d: { token: disabled.token, self: disabled.session.id },
    s: { token: stranger.token, self: stranger.session.id },
    e: { token: foreign.plaintext, self: 0 },
    v: { token: (await tokenOf(client, own, { owner: other.id })).plaintext, self: other.id },
    m: { token: manager.token, self: manager.session.id },
    f: { token: former.token, self: former.session.id },
    a: { token: (await tokenOf(client, ['tokens:act-as'])).plaintext, self: 1 },
    p: { token: (await tokenOf(client, own)).plaintext, self: 1 },
    u: { token: (await tokenOf(client, [...own, 'users:admin'])).plaintext, self: 1 },
    b: { token: (await tokenOf(client, [...own, 'tokens:act-as'])).plaintext, self: 1 },
    w: { token: (await tokenOf(client, [...own, 'tokens:act-as'], { owner: backend.id })).plaintext, self: backend.id },
    r: { token: admin.token, self: 1 },
  };
  const idOf = async (token: string) => (await answered(verifyAccessToken({ client, body: { token } }))).owner?.id ?? 0;
  const ofCustomer = (await tokenOf(client, [], { externalOwner: 'cus_42' })).plaintext;
  Object.assign(tokens['e'] ?? {}, { self: await idOf(foreign.plaintext) });
  return {
    tokens,
    person,
    jobs,
    owner: await idOf(ofCustomer),
    agent: new Agent({ keepAlive: true }),
  };
}

const shared = shareService(prepare);
type Made = Awaited<ReturnType<typeof prepare>>;

/** What the words in capitals stand for if nothing of the kind exists. */
const ABSENT: Record<string, string> = {
  OF_EXTERNAL: NO_UUID,
  OF_SERVICE: NO_UUID,
  OF_PERSON: NO_UUID,
  INTEGER: '4714',
  PLAINTEXT: 'lk_pat_unknown',
  OWNER: '4711',
  SERVICE: '4712',
  PERSON: '4713',
  EXTERNAL: 'nobody',
  FRESH: 'nobody',
  WEBHOOK: NO_UUID,
};

let fresh = 0;

/** Makes what the words in capitals stand for; anew, because an earlier call may have revoked or deleted it. */
async function make(word: string, { client }: Person, made: Made): Promise<string> {
  fresh += 1;
  const unique = `unique${String(fresh)}`;
  const ofPerson = made.person.client;
  switch (word) {
    case 'OF_EXTERNAL':
      return (await tokenOf(client, [], { externalOwner: 'cus_42' })).token.id;
    case 'OF_SERVICE':
      return (await tokenOf(client, [], { owner: made.jobs.id })).token.id;
    case 'OF_PERSON':
      return (await tokenOf(ofPerson, [])).token.id;
    case 'INTEGER': {
      const body = { name: 'private', expiration_time: '2031-01-01T00:00:00Z' };
      return String((await answered(createPrivateToken({ client: ofPerson, body }))).id);
    }
    case 'PLAINTEXT':
      return (await tokenOf(client, [], { externalOwner: 'cus_42' })).plaintext;
    case 'OWNER':
      return String(made.owner);
    case 'SERVICE':
      return String(made.jobs.id);
    case 'PERSON':
      return String(made.person.session.id);
    case 'EXTERNAL':
      return 'cus_42';
    case 'FRESH':
      await putExternalUser({ client, path: { external_id: unique }, body: {} });
      return unique;
    default:
      return (await answered(createWebhook({ client, body: { url: `https://hook.example/${unique}` } }))).webhook.id;
  }
}

/** Gives the owners of the rows their tokens anew, which an earlier call may have revoked or given away. */
async function renewOwn({ client }: Person, { tokens, owner, jobs }: Made): Promise<void> {
  for (const [caller, self] of [
    ['i', owner],
    ['j', jobs.id],
  ] as const) {
    tokens[caller] = { token: (await tokenOf(client, OWN_SCOPES, { owner: self })).plaintext, self };
  }
}

async function namesIn([, line, json]: Row, admin: Person, made: Made): Promise<Record<string, string>> {
  const words: Record<string, string> = {};
  for (const word of Object.keys(ABSENT)) {
    if (wordIn(word).test(`${line} ${JSON.stringify(json)}`)) words[word] = await make(word, admin, made);
  }
  return words;
}

function wordIn(word: string): RegExp {
  return new RegExp(`(?<![A-Z_])${word}(?![A-Z_])`, 'g');
}

function replaced(text: string, words: Record<string, string>): string {
  let left = text;
  // The only member of a body that is an id is a number.
  for (const [word, by] of Object.entries(words)) {
    left = left.replaceAll(`"to":"${word}"`, `"to":${by}`).replace(wordIn(word), by);
  }
  return left;
}

async function call(
  service: Service,
  { agent, tokens }: Made,
  caller: string,
  [, line, json]: Row,
  words: Record<string, string>,
): Promise<Answer> {
  const { token, self } = tokens[caller] ?? {};
  fresh += 1;
  const own = { SELF: String(self), ADMIN: '1', PASSWORD: 'a password', UNIQUE: `unique${String(fresh)}` };
  const all = { ...words, ...own };
  const body = json === undefined ? undefined : replaced(typeof json === 'string' ? json : JSON.stringify(json), all);
  return await send(service, replaced(line, all) as `${string} ${string}`, {
    agent,
    ...(token !== undefined && { token }),
    ...(body !== undefined && { body }),
    ...(typeof json === 'string' && { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
  });
}

/** The letter of an answer. */
function letterOf({ status, body }: Answer): string {
  const code = (body as { code?: string } | undefined)?.code;
  if (status >= 200 && status < 300) return '.';
  if (status === 401) return '1';
  if (status === 403) return code === undefined || code === 'insufficient_scope' ? '3' : `c`;
  if (status === 404) return code === 'owner_not_found' ? 'o' : 'x';
  return `(${String(status)} ${String(code)})`;
}

describe.each(TABLE)('%s %s %j', (...row) => {
  const [, , , letters] = row;
  const isRefused = (letter: string) => !'. '.includes(letter);

  test(letters, async () => {
    const { service, admin, made } = await shared();
    const there = await namesIn(row, admin, made);
    await renewOwn(admin, made);
    const content = async () => ({
      ...(await contentOf(service)),
      // There is no change without its event.
      events: await rowsOf(service, 'select count(*) as count from audit_events'),
    });
    const before = await content();
    const got: string[] = CALLERS.map(() => ' ');
    const answers: Record<string, string> = {};
    for (const [index, [, caller]] of CALLERS.entries()) {
      if (!isRefused(letters[index] ?? '')) continue;
      const answer = await call(service, made, caller, row, there);
      got[index] = letterOf(answer);
      const { text } = await call(service, made, caller, row, ABSENT);
      answers[caller] = answer.text;
      expect([caller, text], 'the same for what does not exist').toEqual([caller, answer.text]);
    }
    expect(await content(), 'nothing has changed').toEqual(before);
    for (const [index, [, caller]] of CALLERS.entries()) {
      if (letters[index] !== '.') continue;
      if (caller === 'i' || caller === 'j') await renewOwn(admin, made);
      const answer = await call(service, made, caller, row, await namesIn(row, admin, made));
      got[index] = letterOf(answer);
      if (got[index] !== '.') answers[caller] = answer.text;
    }
    expect(got.join(''), JSON.stringify(answers)).toBe(letters);
  });
});
