import { createCaseSender } from '../case-sender.js';
import type { Context } from '../context.js';
import { sameJson } from '../document/json.js';
import { isSecured, type Operation } from '../document/model.js';
import type { Credential, Draft } from '../http/draft.js';
import { checkLoginAlike } from './login-alike.js';

/** Sends each documented way to authenticate alone, with a valid and with invalid credentials, and no credential. */
export async function runSecurity(context: Context, operation: Operation): Promise<void> {
  const { run, credentials, fixtures } = context;
  if (!isSecured(operation)) {
    await tryWrongPassword(context, operation);
    await checkLoginAlike(context, operation);
    return;
  }
  const ways = credentials.alternatives(operation);
  const usable = context.obstacle(operation) === undefined;
  // An invalid request may be rejected for that: only good practice requires that authentication comes first.
  const expectation = usable ? 'unauthorized' : 'rejected';
  const plain = usable ? await fixtures.base(operation, { phase: 'security' }) : { ...emptyFor(operation) };
  const bad = [
    async () =>
      await run.send(
        { ...plain, credential: null },
        { phase: 'security', name: 'a request without a credential', expectation },
      ),
  ];
  // A credential that is nearly valid tests what verifies it, which is the same in all ways to send it.
  const turn = run.operations.indexOf(operation) % Math.max(1, ways.length);
  for (const [index, schemes] of ways.entries()) {
    for (const [what, credential] of badCredentials(context, index === turn ? schemes : [])) {
      const info = {
        phase: 'security',
        name: `${what} by ${schemes.join(' and ')}`,
        expectation,
      } as const;
      bad.push(async () => await run.send({ ...plain, credential: { with: credential, schemes } }, info));
    }
  }
  await run.inOrder(bad);
  const sender = usable ? await createCaseSender(context, operation, 'security') : undefined;
  // Every other request is sent in the usual way.
  const usual = sender?.base.credential?.schemes;
  const unusual = credentials.ways(operation).filter((schemes) => !sameJson(schemes, usual));
  for (const schemes of sender ? unusual : []) {
    await sender?.send({ name: `a valid request by only ${schemes.join(' and ')}` }, (base) =>
      base.credential ? { ...base, credential: { ...base.credential, schemes } } : base,
    );
  }
}

/** Logs in once with the right user and a wrong password; no throttle blocks after one try. */
async function tryWrongPassword({ run, credentials }: Context, operation: Operation): Promise<void> {
  const fields = credentials.loginFields(operation);
  const { login } = run.options;
  if (!fields || !login) return;
  const body = { [fields.user]: login.username, [fields.password]: `${login.password.slice(0, 60)}x` };
  const name = 'a login with a wrong password';
  await run.send(
    { ...emptyFor(operation), body },
    {
      phase: 'security',
      name,
      expectation: 'any',
      check: ({ status }) =>
        status >= 400
          ? []
          : [{ check: 'authentication', message: `${name} gets ${String(status)}`, expected: 'a rejection (4xx)' }],
    },
  );
}

function badCredentials({ run, credentials }: Context, schemes: string[]): [string, Credential][] {
  const bad: [string, string][] = [['an unknown token', 'not-a-token-at-all-0000000000']];
  for (const name of schemes) {
    const good = credentials.main?.perScheme[name] ?? credentials.main?.token;
    if (good === undefined || good.length < 2) continue;
    const other = good.endsWith('0') ? '1' : '0';
    bad.push(['a token with another last character', `${good.slice(0, -1)}${other}`]);
    bad.push(['a token without its last character', good.slice(0, -1)]);
  }
  return bad.map(([what, token]) => {
    run.secrets.add(token, '$BAD_TOKEN');
    return [what, { token, perScheme: {} }];
  });
}

function emptyFor(operation: Operation): Draft {
  const path = Object.fromEntries(
    operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => [name, '1']),
  );
  return { operation, path, query: {}, header: {}, cookie: {}, credential: null };
}
