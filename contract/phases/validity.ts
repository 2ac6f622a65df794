import { withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { isObject, type Json } from '../document/json.js';
import { isVerdictName } from '../document/names.js';
import type { Exchange } from '../exchange.js';
import { emptyDraft } from '../http/draft.js';
import type { Presenter } from '../policy.js';

// Checks whether the server treats a credential as valid: when it is used, and when an operation such as `verify` gets
// it.

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/** Checks that every operation rejects the credential, and that none reports it as valid. `how` ends the messages. */
export async function expectInvalid(context: Context, token: string, how: string): Promise<void> {
  const { run, credentials } = context;
  for (const operation of run.spec.operations) {
    const easy = operation.method === 'GET' && operation.parameters.every(({ required }) => !required);
    if (!easy || credentials.alternatives(operation).length === 0) continue;
    const draft = credentials.attach(emptyDraft(operation), { token, perScheme: {} });
    await run.send(draft, {
      ...ANY,
      name: `use a credential ${how}`,
      check: ({ status }) =>
        status === 401 ? [] : [finding('revocation', `a credential still gets ${String(status)} ${how}`, '401')],
    });
  }
  for (const inquiry of context.presenters.inquiries) {
    await present(context, inquiry, token, `verify a credential ${how}`, (value) =>
      verdictsIn(value).includes(true)
        ? [finding('revocation', `it reports a credential as valid ${how}`, 'that the credential is not valid')]
        : [],
    );
  }
}

/** Checks that an operation accepts the credential, and that none reports it as invalid. `how` ends the messages. */
export async function expectValid(context: Context, token: string, how: string): Promise<void> {
  const { run, credentials } = context;
  const draft = credentials.probeWith({ token, perScheme: {} });
  if (draft !== undefined) {
    await run.send(draft, {
      ...ANY,
      name: `use a credential ${how}`,
      check: ({ status }) => (status === 401 ? [finding('sequence', `a credential gets 401 ${how}`, 'no 401')] : []),
    });
  }
  for (const inquiry of context.presenters.inquiries) {
    await present(context, inquiry, token, `verify a credential ${how}`, (value) => {
      const verdicts = verdictsIn(value);
      if (verdicts.length === 0 || verdicts.includes(true)) return [];
      return [finding('sequence', `it reports a valid credential as invalid ${how}`, 'that the credential is valid')];
    });
  }
}

/** Sends a valid request of an operation that gets a credential in its body. */
export async function present(
  { run, fixtures, obstacle }: Context,
  { operation, slot }: Presenter,
  token: string,
  name: string,
  check: (value: Json | undefined, status: number) => Finding[],
): Promise<Exchange | undefined> {
  if (obstacle(operation) !== undefined) return undefined;
  const base = await fixtures.base(operation, { phase: 'sequences' });
  const body = withValue(base.body ?? {}, slot.path, token);
  if (body === undefined) return undefined;
  return await run.send({ ...base, body }, { ...ANY, name, check: ({ status }, value) => check(value, status) });
}

/** The booleans such as `valid` at the highest level of an answer that has any; a nested thing may have its own. */
function verdictsIn(value: Json | undefined): Json[] {
  const level = Array.isArray(value) ? value : [value];
  const members = level.filter(isObject).flatMap((object) => Object.entries(object));
  const verdicts = members.filter(([name, member]) => isVerdictName(name) && typeof member === 'boolean');
  if (verdicts.length > 0) return verdicts.map(([, member]) => member);
  const lower = members.flatMap(([, member]) => (Array.isArray(member) ? member : [member])).filter(isObject);
  return lower.length === 0 ? [] : verdictsIn(lower);
}

function finding(check: Finding['check'], message: string, expected: string): Finding {
  return { check, message, expected };
}
