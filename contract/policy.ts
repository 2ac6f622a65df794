import { type Slot, slotsOf } from './cases/slots.js';
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
import { isUnlikelyId } from './fixtures.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';

// What a run does not do, so that it neither ends its own credential nor touches what it has not made.

/** What a call may do to the credential it is made with: end it, end it together with others, or nothing. */
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

/** Whether a call ends the session it is made in, and so perhaps no credential of another kind. */
export function isLogout({ id, path, method }: Operation): boolean {
  return endsSession(id) || endsSession(`${method} ${path}`);
}

/** Whether a call gives a new secret to what it is about. */
export function isRotator({ id, path, method }: Operation): boolean {
  return isUnsafe({ method }) && (isRotation(id) || isRotation(path));
}

/** An operation whose body holds a credential that somebody presents, and the place of it. */
export interface Presenter {
  operation: Operation;
  slot: Slot;
}

/** The operations that tell whether a credential in their body is good, and those that revoke it. */
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

/** The place in a body of a credential that somebody presents. */
function presentedIn({ body }: Operation, { requests }: Spec): Slot | undefined {
  return slotsOf(requests, body?.schema).find(
    ({ path, schema }) => isPresentedName(String(path.at(-1))) && typesOf(flatten(requests, schema)).includes('string'),
  );
}

/** Whether a sweeping call can be told to spare the credential it is made with. */
export function canProtect(operation: Operation, spec: Spec): boolean {
  return protectionsOf(operation, spec).length > 0;
}

/** The booleans of the query and the body by which a call spares the credential it is made with. */
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

/** Whether a call ends what it names. */
export function isRemover({ method, path, id }: Operation): boolean {
  if (method === 'DELETE') return path.includes('{');
  return (
    isUnsafe({ method }) && path.includes('{') && /(revoke|delete|cancel|archive|remove|disable)/i.test(`${id} ${path}`)
  );
}

/**
 * Whether a call ends the thing that its path names, so that it is gone afterwards. A DELETE below that path ends a part
 * of the thing, and what is cancelled, archived or disabled is often still there.
 */
export function isDeleter({ method, path }: Operation): boolean {
  if (method === 'DELETE') return /\}\/?$/.test(path);
  return isUnsafe({ method }) && /\}[/:](revoke|delete|remove)\/?$/i.test(path);
}

/** Why a request must not be sent; undefined where it may. `base` is a request that may. */
export function reasonAgainst(draft: Draft, base: Draft, verdict: Verdict['kind'], spec: Spec): string | undefined {
  const { operation } = draft;
  const valid = verdict === 'valid';
  if (!isUnsafe(operation)) return undefined;
  if (isOwnAccount(operation.path) && isSecured(operation) && verdict !== 'invalid') {
    const vital = membersOf(draft.body).find(([name]) => isVitalName(name));
    if (vital !== undefined) return `another ${vital[0]} of the run's own account`;
  }
  for (const { name, schema, sentBy } of protectionsOf(operation, spec)) {
    const sent: Json | undefined = sentBy(draft) ?? flatten(spec.requests, schema).default;
    const protects = sent === true || sent === 'true';
    if (!protects && (verdict !== 'invalid' || sent === undefined))
      return `${name} other than true: it would end the run's own credential`;
  }
  for (const [name, value] of Object.entries(draft.path)) {
    if (!valid || sameJson(value, base.path[name]) || isUnlikelyId(value)) continue;
    return `${name}s that may belong to somebody`;
  }
  return undefined;
}

/** Whether a call tries a secret, so that many wrong ones look like guessing. */
export function isGuess(operation: Operation, spec: Spec): boolean {
  if (isSecured(operation) || operation.body === undefined || !isUnsafe(operation)) return false;
  return branches(spec.requests, operation.body.schema).some(({ properties = {} }) =>
    Object.keys(properties).some(isSecretName),
  );
}
