import { withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { type Json, memberOf } from '../document/json.js';
import { thingIn } from '../document/links.js';
import { isSecured, type Operation } from '../document/model.js';
import { flatten, typesOf } from '../document/schema.js';
import type { Credential } from '../http/draft.js';
import { dangerOf, isLogout, isRemover, isRotator } from '../policy.js';
import { membersToSend } from '../variation.js';

const ANY = { phase: 'security', expectation: 'any', outside: true } as const;

/** An operation that issues credentials with chosen scopes, and the member of its body with the scopes. */
interface Issuer {
  creator: Operation;
  member: string;
  isList: boolean;
}

/** Calls each operation with a credential that lacks the scope which it needs, and checks that it is rejected. */
export async function runScopes(context: Context): Promise<void> {
  const { run } = context;
  const names = [...new Set(run.spec.operations.flatMap(({ scopes }) => scopes.flat()))];
  const issuer = issuerOf(context);
  if (issuer === undefined || names.length === 0) return;
  for (const scope of names) {
    if (run.outOfTime()) return;
    const rest = names.filter((other) => other !== scope);
    const narrow = (await issue(context, issuer, rest)) ?? (await issue(context, issuer, []));
    if (narrow === undefined) continue;
    for (const operation of run.operations.filter((each) => needs(each, scope)))
      await expectForbidden(context, operation, narrow, scope);
    await expectNoWider(context, issuer, narrow, scope);
  }
}

/** Whether every way to authenticate requires the scope. */
function needs({ scopes }: Operation, scope: string): boolean {
  return scopes.length > 0 && scopes.every((way) => way.includes(scope));
}

function issuerOf({ run, obstacle }: Context): Issuer | undefined {
  for (const creator of run.spec.operations) {
    if ((run.issues.get(creator.id)?.length ?? 0) === 0 || obstacle(creator) !== undefined || isRotator(creator))
      continue;
    const slot = membersToSend(run, creator).find(({ path }) => /^scopes?$/i.test(String(path[0])));
    if (slot === undefined) continue;
    const isList = typesOf(flatten(run.spec.requests, slot.schema)).includes('array');
    return { creator, member: String(slot.path[0]), isList };
  }
  return undefined;
}

const asSent = ({ isList }: Issuer, names: string[]): Json => (isList ? names : names.join(' '));

async function issue(context: Context, issuer: Issuer, names: string[]): Promise<Credential | undefined> {
  const { run, fixtures } = context;
  const base = await fixtures.base(issuer.creator, { phase: 'security' });
  const body = withValue(base.body ?? {}, [issuer.member], asSent(issuer, names));
  const draft = { ...base, body };
  if (body === undefined || run.judgeRequest(draft).kind !== 'valid') return undefined;
  const exchange = await run.send(draft, { ...ANY, name: 'create a credential with fewer scopes' });
  if (exchange.answer === undefined || exchange.answer.status >= 300) return undefined;
  const [place = ''] = run.issues.get(issuer.creator.id) ?? [];
  const token = place.split('/').slice(1).reduce<Json | undefined>(memberOf, exchange.value);
  if (typeof token !== 'string') return undefined;
  fixtures.made.push({ creator: issuer.creator, exchange, token });
  return { token, perScheme: {} };
}

async function expectForbidden(
  context: Context,
  operation: Operation,
  narrow: Credential,
  scope: string,
): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  // If the server wrongly accepts the request, it must do no harm.
  if (obstacle(operation) !== undefined || dangerOf(operation, run.spec) !== 'none' || isLogout(operation)) return;
  const base = await fixtures.base(operation, { fresh: isRemover(operation), phase: 'security' });
  await run.send(credentials.attach(base, narrow), {
    ...ANY,
    name: `a credential without ${scope}`,
    check: ({ status }): Finding[] =>
      status >= 400
        ? []
        : [{ check: 'scopes', message: `a credential without ${scope} gets ${String(status)}`, expected: '403' }],
  });
}

async function expectNoWider(context: Context, issuer: Issuer, narrow: Credential, scope: string): Promise<void> {
  const { run, fixtures, credentials } = context;
  if (needs(issuer.creator, scope) || !isSecured(issuer.creator)) return;
  const base = await fixtures.base(issuer.creator, { phase: 'security' });
  const body = withValue(base.body ?? {}, [issuer.member], asSent(issuer, [scope]));
  if (body === undefined) return;
  await run.send(credentials.attach({ ...base, body }, narrow), {
    ...ANY,
    name: `a credential without ${scope} creates one with it`,
    check: ({ status }, value) => {
      const told = JSON.stringify(memberOf(thingIn(value), issuer.member) ?? '');
      if (status >= 300 || !told.includes(JSON.stringify(scope).slice(1, -1))) return [];
      const message = `a credential without ${scope} creates one with it`;
      return [practice(run.options, 'no-wider', 'scopes', message, '403, or a credential without it')];
    },
  });
}
