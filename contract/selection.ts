import type { Operation, Spec } from './document/model.js';
import { CouldNotRun } from './errors.js';
import type { ContractOptions } from './options.js';
import { CHECKS, type Check } from './report/types.js';

// What of a document is tested, and by which checks.

/** The spec with the operations that are never called apart; throws `CouldNotRun` for one that it does not have. */
export function withoutLeftOut(spec: Spec, leftOut: Record<string, string>): Spec {
  const unknown = Object.keys(leftOut).find((id) => !spec.operations.some((operation) => operation.id === id));
  if (unknown !== undefined) throw new CouldNotRun(`${unknown}, which is left out, is no operation of the document`);
  const isLeftOut = ({ id }: Operation) => Object.hasOwn(leftOut, id);
  return {
    ...spec,
    operations: spec.operations.filter((operation) => !isLeftOut(operation)),
    leftOut: spec.operations.filter(isLeftOut),
  };
}

/** The checks that count; throws `CouldNotRun` where an option names one that there is not. */
export function selectChecks({ checks, excludeChecks = [] }: ContractOptions): Set<Check> {
  const all = Object.keys(CHECKS) as Check[];
  const unknown = [...(checks ?? []), ...excludeChecks].find((check) => !all.includes(check));
  if (unknown !== undefined) throw new CouldNotRun(`there is no check ${unknown}; there are ${all.join(', ')}`);
  return new Set((checks ?? all).filter((check) => !excludeChecks.includes(check)));
}

/** The operations with a tag or an operationId; throws `CouldNotRun` where there are none. */
export function selectOperations({ operations }: Spec, only: string | undefined): Operation[] {
  if (operations.length === 0) throw new CouldNotRun('the spec has no operations');
  if (only === undefined) return operations;
  const selected = operations.filter(({ id, tags }) => id === only || tags.includes(only));
  if (selected.length > 0) return selected;
  throw new CouldNotRun(`${only} is neither a tag nor an operationId of the spec`);
}
