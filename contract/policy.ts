import { type Slot, slotsOf } from './cases/slots.js';
import { isUnlikelyId } from './cases/unlikely-ids.js';
import { type Json, memberOf, membersOf, sameJson } from './document/json.js';
import { isSecured, isUnsafe, type Operation, type Spec } from './document/model.js';
import {
  endsSession,
  isBulkRemoval,
  isInquiry,
  isOwnAccount,
  isOwnCredential,
  isPresentedName,
  isProtectionName,
  isRevocation,
  isRotation,
  isSecretName,
  isSweeping,
  isVitalName,
} from './document/names.js';
import { branches, flatten, typesOf } from './document/schema.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';

// What a run must not send, so that it neither ends its own credential nor changes things that it has not created.

/**
 * What an operation may do to the caller's credential. `ends-caller` ends that credential alone, such as a logout.
 * `sweeps` may end many things, and that credential with them.
 */
export type Danger = 'ends-caller' | 'sweeps' | 'none';

export function dangerOf(operation: Operation, spec: Spec): Danger {
  const { id, path, method } = operation;
  if (!isUnsafe(operation) || !isSecured(operation)) return 'none';
  if (isSweeping(id) || isSweeping(path)) return 'sweeps';
  if (isLogout(operation) || isOwnCredential(id) || isOwnCredential(path)) return 'ends-caller';
  const isOnNothingElse = !path.includes('{');
  if (isOnNothingElse && isRotator(operation)) return 'ends-caller';
  if (isOnNothingElse && (method === 'DELETE' || isBulkRemoval(path)) && presentedIn(operation, spec) === undefined)
    return 'sweeps';
  return canProtect(operation, spec) ? 'sweeps' : 'none';
}

/** Whether an operation ends the caller's session. Such an operation may leave credentials of other kinds valid. */
export function isLogout({ id, path, method }: Operation): boolean {
  return endsSession(id) || endsSession(`${method} ${path}`);
}

/** Whether an operation replaces the secret of a thing by a new one. */
export function isRotator({ id, path, method }: Operation): boolean {
  return isUnsafe({ method }) && (isRotation(id) || isRotation(path));
}

/** An operation whose body contains a credential to verify or to revoke, and the place of the credential. */
export interface Presenter {
  operation: Operation;
  slot: Slot;
}

/** The operations that verify the credential in their body (`inquiries`), and those that revoke it. */
export interface Presenters {
  inquiries: Presenter[];
  revokers: Presenter[];
}

export function presentersOf(spec: Spec): Presenters {
  const presenters = spec.operations.flatMap((operation): Presenter[] => {
    if (!isUnsafe(operation) || operation.path.includes('{') || dangerOf(operation, spec) !== 'none') return [];
    const slot = presentedIn(operation, spec);
    return slot === undefined ? [] : [{ operation, slot }];
  });
  const are = (isNamed: (text: string) => boolean) =>
    presenters.filter(({ operation: { id, path } }) => isNamed(id) || isNamed(path));
  return { inquiries: are(isInquiry), revokers: are(isRevocation) };
}

/** The place in the body for a credential to verify or to revoke; undefined if there is none. */
function presentedIn({ body }: Operation, { requests }: Spec): Slot | undefined {
  return slotsOf(requests, body?.schema).find(
    ({ path, schema }) => isPresentedName(String(path.at(-1))) && typesOf(flatten(requests, schema)).includes('string'),
  );
}

/** Whether a parameter or member of the operation can exclude the caller's own credential. */
export function canProtect(operation: Operation, spec: Spec): boolean {
  return protectionsOf(operation, spec).length > 0;
}

/** The booleans of the query and the body that exclude the caller's own credential, such as `exclude_current`. */
function protectionsOf({ parameters, body }: Operation, { requests }: Spec) {
  const inQuery = parameters.filter(({ in: place }) => place === 'query');
  const inBody = slotsOf(requests, body?.schema).filter(({ path }) => path.length === 1);
  return [
    ...inQuery.map(({ name, schema }) => ({ name, schema, sentBy: ({ query }: Draft) => query[name] })),
    ...inBody.map(({ path: [step], schema }) => {
      const name = String(step);
      return { name, schema, sentBy: ({ body: sent }: Draft) => memberOf(sent, name) };
    }),
  ].filter(({ name }) => isProtectionName(name));
}

/** Whether an operation deletes, revokes, cancels, archives or disables what its path names. */
export function isRemover({ method, path, id }: Operation): boolean {
  if (method === 'DELETE') return path.includes('{');
  return (
    isUnsafe({ method }) && path.includes('{') && /(revoke|delete|cancel|archive|remove|disable)/i.test(`${id} ${path}`)
  );
}

/**
 * Whether an operation deletes or revokes the thing that its path names, so that the thing is gone afterwards. A DELETE
 * below the thing's path deletes a part of it, and a cancelled, archived or disabled thing can often still be fetched.
 */
export function isDeleter({ method, path }: Operation): boolean {
  if (method === 'DELETE') return /\}\/?$/.test(path);
  return isUnsafe({ method }) && /\}[/:](revoke|delete|remove)\/?$/i.test(path);
}

/** Why the run must not send a request; undefined if it may. `base` is a request that it may send. */
export function reasonAgainst(draft: Draft, base: Draft, verdict: Verdict['kind'], spec: Spec): string | undefined {
  const { operation } = draft;
  const valid = verdict === 'valid';
  if (!isUnsafe(operation)) return undefined;
  if (isOwnAccount(operation.path) && isSecured(operation) && verdict !== 'invalid') {
    const vital = membersOf(draft.body).find(([name]) => isVitalName(name));
    if (vital !== undefined) return `it would change ${vital[0]} of the run's own account`;
  }
  for (const { name, schema, sentBy } of protectionsOf(operation, spec)) {
    const sent: Json | undefined = sentBy(draft) ?? flatten(spec.requests, schema).default;
    const protects = sent === true || sent === 'true';
    if (!protects && (verdict !== 'invalid' || sent === undefined))
      return `without ${name}=true it would end the run's own credential`;
  }
  for (const [name, value] of Object.entries(draft.path)) {
    if (!valid || sameJson(value, base.path[name]) || isUnlikelyId(value)) continue;
    return `its ${name} may belong to a thing that the run has not created`;
  }
  return undefined;
}

/** Whether an operation without security takes a secret, such as a login: a throttle may count wrong secrets. */
export function isGuess(operation: Operation, spec: Spec): boolean {
  if (isSecured(operation) || operation.body === undefined || !isUnsafe(operation)) return false;
  return branches(spec.requests, operation.body.schema).some(({ properties = {} }) =>
    Object.keys(properties).some(isSecretName),
  );
}
