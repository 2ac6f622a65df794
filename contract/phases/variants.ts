import * as fc from 'fast-check';
import { unlikelyIds } from '../cases/unlikely-ids.js';
import type { Finding } from '../checks/answer.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isSecured, isUnsafe, type Operation } from '../document/model.js';
import { flatten } from '../document/schema.js';
import type { Draft } from '../http/draft.js';
import { dangerOf } from '../policy.js';

const ANY = { phase: 'security', expectation: 'any', outside: true } as const;

/** Sends a valid credential in undocumented ways, and invalid requests without a credential. */
export async function runVariants(context: Context, operation: Operation): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  if (!isSecured(operation) || obstacle(operation) !== undefined || credentials.main === undefined) return;
  if (dangerOf(operation, run.spec) !== 'none') return;
  const base = await fixtures.base(operation, { phase: 'security' });
  await badWithout(context, base);
  // If the server wrongly accepts the credential, the request takes effect, so only safe methods are sent.
  if (isUnsafe(operation)) return;
  await undocumented(context, base);
  await lowerCase(context, base);
  await twoAtOnce(context, base);
}

/** Checks that an invalid request, or one for an unknown id, gets 401 if it has no credential. */
async function badWithout({ run }: Context, base: Draft): Promise<void> {
  const { operation } = base;
  const bad: [string, Draft][] = [];
  if (operation.body)
    bad.push(['an invalid body', { ...base, body: ['bad'] }], ['an empty body', { ...base, body: {} }]);
  const far = farFrom(run, base);
  if (far) bad.push(['an unknown id', far]);
  const [query] = operation.parameters.filter(
    ({ in: place, schema }) => place === 'query' && schema.type === 'integer',
  );
  if (query) bad.push(['an invalid query', { ...base, query: { ...base.query, [query.name]: 'bad' } }]);
  const works = bad.map(([what, draft]) => async () => {
    const message = `${what} without a credential gets`;
    await run.send(
      { ...draft, credential: null },
      {
        ...ANY,
        name: `${what} without a credential`,
        check: ({ status }): Finding[] =>
          status === 401 || status >= 500
            ? []
            : [practice(run.options, 'authentication-first', 'authentication', `${message} ${String(status)}`, '401')],
      },
    );
  });
  await run.inOrder(works);
}

function farFrom(run: Context['run'], base: Draft): Draft | undefined {
  const parameter = base.operation.parameters.filter(({ in: place }) => place === 'path').at(-1);
  if (parameter === undefined) return undefined;
  const { format } = flatten(run.spec.requests, parameter.schema);
  const [value = ''] = fc.sample(unlikelyIds(format), { seed: run.seed + 2, numRuns: 1 });
  return { ...base, path: { ...base.path, [parameter.name]: value } };
}

async function undocumented({ run, credentials }: Context, base: Draft): Promise<void> {
  const { token } = credentials.main ?? {};
  if (token === undefined || token === '') return;
  const kinds = kindsOf(run, base.operation);
  const none = { ...base, credential: null };
  const ways: [string, Draft][] = [];
  if (!kinds.includes('query')) {
    for (const name of ['access_token', 'token', 'api_key'])
      ways.push([`in the query as ${name}`, { ...none, rawQuery: `${name}=${encodeURIComponent(token)}` }]);
  }
  for (const word of ['Token', 'JWT'])
    ways.push([`with the scheme ${word}`, { ...none, headers: { Authorization: `${word} ${token}` } }]);
  if (![...run.spec.schemes.values()].some(({ kind, field }) => kind === 'header' && /^authorization$/i.test(field)))
    ways.push(['without a scheme', { ...none, headers: { Authorization: token } }]);
  const pair = Buffer.from(`token:${token}`).toString('base64');
  if (!kinds.includes('basic'))
    ways.push(['as the password of the scheme Basic', { ...none, headers: { Authorization: `Basic ${pair}` } }]);
  const works = ways.map(([way, draft]) => async () => {
    const message = `a credential ${way} is accepted`;
    await run.send(draft, {
      ...ANY,
      name: `a valid credential ${way}`,
      check: ({ status }) =>
        status >= 300
          ? []
          : [practice(run.options, 'documented-credentials', 'authentication', message, 'a rejection (4xx)')],
    });
  });
  await run.inOrder(works);
}

/** Checks that the authentication scheme is accepted in lower case (RFC 9110, section 11.1). */
async function lowerCase({ run, credentials }: Context, base: Draft): Promise<void> {
  const { main } = credentials;
  const name = base.operation.security.flat().find((each) => run.spec.schemes.get(each)?.kind === 'bearer');
  if (main === undefined || name === undefined) return;
  const token = main.perScheme[name] ?? main.token;
  if (token === '') return;
  const plain = { ...base, credential: null };
  const usual = await run.send(
    { ...plain, headers: { Authorization: `Bearer ${token}` } },
    { phase: 'security', expectation: 'any', name: 'the scheme Bearer' },
  );
  if (usual.answer === undefined || usual.answer.status === 401) return;
  await run.send(
    { ...plain, headers: { Authorization: `bearer ${token}` } },
    {
      ...ANY,
      name: 'the scheme in lower case',
      check: ({ status }) =>
        status === 401
          ? [{ check: 'authentication', message: 'bearer in lower case gets 401', expected: 'the same as for Bearer' }]
          : [],
    },
  );
}

/** Checks that a valid and an invalid credential in one request are rejected (RFC 6750, section 2). */
async function twoAtOnce({ run, credentials }: Context, base: Draft): Promise<void> {
  const ways = credentials.alternatives(base.operation).filter(({ length }) => length === 1);
  const pairs = ways.flatMap((one, index) => ways.slice(index + 1).map((other) => [one, other] as const));
  // Each operation gets one pair, because what reads a credential is the same for all.
  const [first, second] = pairs[run.operations.indexOf(base.operation) % Math.max(1, pairs.length)] ?? [];
  const { main } = credentials;
  if (first === undefined || second === undefined || main === undefined) return;
  for (const [good, bad] of [
    [first, second],
    [second, first],
  ] as const) {
    const [badName = ''] = bad;
    const perScheme = { ...main.perScheme, [badName]: 'not-a-token-at-all-0000000000' };
    await run.send(
      { ...base, credential: { with: { ...main, perScheme }, schemes: [...good, ...bad] } },
      {
        ...ANY,
        name: `a valid ${good.join()} and an invalid ${badName}`,
        check: ({ status }) =>
          status >= 300
            ? []
            : [
                practice(
                  run.options,
                  'one-credential',
                  'authentication',
                  `a valid ${good.join()} and an invalid ${badName} get ${String(status)}`,
                  'a rejection (4xx)',
                ),
              ],
      },
    );
  }
}

function kindsOf({ spec }: Context['run'], { security }: Operation): string[] {
  return security.flat().map((name) => spec.schemes.get(name)?.kind ?? '');
}
