import type { Context } from '../context.js';
import { evaluate } from '../document/links.js';
import { type Operation, successOf } from '../document/model.js';
import { isRevocation } from '../document/names.js';
import { sourceOf } from '../fixtures.js';
import type { Credential } from '../http/draft.js';
import { dangerOf, isLogout, isRotator } from '../policy.js';
import { runOwnRotation } from './rotation.js';
import { expectInvalid } from './validity.js';

const PHASE = 'sequences';

/**
 * Follows the links of a login, and calls each operation that ends the caller's own credential with a disposable one.
 */
export async function runSessions(context: Context): Promise<void> {
  const { run } = context;
  await followLogin(context);
  for (const operation of run.operations.filter((each) => dangerOf(each, run.spec) === 'ends-caller')) {
    run.record.begin(operation.id);
    if (isRotator(operation)) await runOwnRotation(context, operation);
    else if (isLogout(operation) || operation.method === 'DELETE' || isRevocation(`${operation.id} ${operation.path}`))
      await endCaller(context, operation);
  }
}

async function followLogin(context: Context): Promise<void> {
  const { run, credentials, fixtures } = context;
  const session = await credentials.logIn();
  if (session === undefined) return;
  for (const link of successOf(session.exchange.draft.operation)?.links ?? []) {
    const target = run.spec.operations.find(({ id }) => id === link.operationId);
    const body = link.requestBody === undefined ? undefined : evaluate(link.requestBody, sourceOf(session.exchange));
    if (target === undefined || body === undefined) continue;
    const name = `the link ${link.name} of ${session.exchange.draft.operation.id}`;
    await run.send(
      { ...(await fixtures.base(target)), body },
      {
        phase: PHASE,
        expectation: 'any',
        name,
        check: ({ status }) =>
          status < 300
            ? []
            : [{ check: 'sequence', message: `${name} leads to ${String(status)}`, expected: 'a success' }],
      },
    );
  }
}

async function endCaller(context: Context, operation: Operation): Promise<void> {
  const { run, credentials, fixtures, obstacle } = context;
  if (obstacle(operation) !== undefined) return;
  const disposable = await disposableFor(context, operation);
  if (disposable === undefined) return;
  const draft = credentials.attach(await fixtures.base(operation), disposable);
  const { answer } = await run.send(draft, { phase: PHASE, name: 'end the credential in use' });
  if (answer && answer.status < 300) await expectInvalid(context, disposable.token, `after ${operation.id}`);
}

/** The credential for an operation that ends it. A logout needs a session, because it may leave other kinds valid. */
async function disposableFor(context: Context, operation: Operation): Promise<Credential | undefined> {
  if (isLogout(operation)) return (await context.credentials.logIn())?.credential;
  return await context.throwaway(operation, PHASE);
}
