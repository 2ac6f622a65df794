import type { Operation, Spec } from './document/model.js';
import { CouldNotRun } from './errors.js';
import type { ContractOptions } from './options.js';
import { CHECKS, type Check } from './report/types.js';

// Selects the operations of a document, and the checks, that a run uses.

/** The operations to leave out, each with the reason: those of the option, or else those that the document itself names. */
export function leftOutOf({ operations }: Spec, option: Record<string, string> | undefined): Record<string, string> {
  if (option !== undefined) return option;
  return Object.fromEntries(
    operations.flatMap(({ id, leaveOut }) => (leaveOut === undefined ? [] : [[id, leaveOut] as const])),
  );
}

/** The document without the operations of `leaveOut`. Throws `CouldNotRun` if it does not have one of them. */
export function withoutLeftOut(spec: Spec, leftOut: Record<string, string>): Spec {
  const unknown = Object.keys(leftOut).find((id) => !spec.operations.some((operation) => operation.id === id));
  if (unknown !== undefined)
    throw new CouldNotRun(`leaveOut names ${unknown}, which is not an operation of the document`);
  const isLeftOut = ({ id }: Operation) => Object.hasOwn(leftOut, id);
  return {
    ...spec,
    operations: spec.operations.filter((operation) => !isLeftOut(operation)),
    leftOut: spec.operations.filter(isLeftOut),
  };
}

/** The checks that are run. Throws `CouldNotRun` if an option names an unknown check. */
export function selectChecks({ checks, excludeChecks = [] }: ContractOptions): Set<Check> {
  const all = Object.keys(CHECKS) as Check[];
  const unknown = [...(checks ?? []), ...excludeChecks].find((check) => !all.includes(check));
  if (unknown !== undefined) throw new CouldNotRun(`there is no check ${unknown}; the checks are ${all.join(', ')}`);
  return new Set((checks ?? all).filter((check) => !excludeChecks.includes(check)));
}

/** The operations with the tag or the operationId `only`. Throws `CouldNotRun` if there are none. */
export function selectOperations({ operations }: Spec, only: string | undefined): Operation[] {
  if (operations.length === 0) throw new CouldNotRun('the document has no operations');
  if (only === undefined) return operations;
  const selected = operations.filter(({ id, tags }) => id === only || tags.includes(only));
  if (selected.length > 0) return selected;
  throw new CouldNotRun(`${only} is neither a tag nor an operationId of the document`);
}
