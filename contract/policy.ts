import { isFar } from './fixtures.js';
import type { Draft } from './http/draft.js';
import { type Json, sameJson } from './spec/json.js';
import { isSecured, isUnsafe, type Operation, type Spec } from './spec/model.js';
import { endsSession, isProtectionName, isSecretName, isSweeping } from './spec/names.js';
import { branches, flatten } from './spec/schema.js';

// What a run does not do, so that it neither ends its own credential nor touches what it has not made.

/** What a call does to the credential it is made with: ends it, perhaps ends it together with others, or nothing. */
export type Danger = 'ends-session' | 'sweeps' | 'none';

export function dangerOf(operation: Operation): Danger {
  const { id, path, method } = operation;
  if (!isUnsafe(operation) || !isSecured(operation)) return 'none';
  if (endsSession(id) || endsSession(path)) return 'ends-session';
  if (isSweeping(id) || isSweeping(path)) return 'sweeps';
  return method === 'DELETE' && !path.includes('{') ? 'sweeps' : 'none';
}

/** Whether a sweeping call can be told to spare the credential it is made with. */
export function canProtect({ parameters }: Operation): boolean {
  return parameters.some(({ in: place, name }) => place === 'query' && isProtectionName(name));
}

/** Whether a call ends what it names. */
export function isRemover({ method, path, id }: Operation): boolean {
  if (method === 'DELETE') return path.includes('{');
  return (
    isUnsafe({ method }) && path.includes('{') && /(revoke|delete|cancel|archive|remove|disable)/i.test(`${id} ${path}`)
  );
}

/** Why a request must not be sent; undefined where it may. `base` is a request that may. */
export function reasonAgainst(draft: Draft, base: Draft, valid: boolean, spec: Spec): string | undefined {
  const { operation } = draft;
  if (!isUnsafe(operation)) return undefined;
  for (const { name, in: place, schema } of operation.parameters) {
    if (place !== 'query' || !isProtectionName(name)) continue;
    const sent: Json | undefined = draft.query[name] ?? flatten(spec.requests, schema).default;
    const protects = sent === true || sent === 'true';
    if (!protects && (valid || sent === undefined))
      return `${name} other than true: it would end the run's own credential`;
  }
  for (const [name, value] of Object.entries(draft.path)) {
    if (!valid || sameJson(value, base.path[name]) || isFar(value)) continue;
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
