import { answerFor, isSecured, type Operation } from '../document/model.js';
import type { Verdict } from '../http/decode.js';

/** What HTTP itself has for a request that is too large, whatever the operation. */
const TOO_LARGE = new Set([413, 414, 431]);

/**
 * Whether an undocumented refusal is the only thing that a good server can answer, because the operation lists no status
 * for such a request. OpenAPI does not expect a document to cover every status.
 */
export function isInevitable(operation: Operation, status: number, { kind, why }: Verdict): boolean {
  const lists = (...statuses: number[]) => statuses.some((each) => answerFor(operation, each) !== undefined);
  if (lists(status)) return false;
  if (status === 401) return isSecured(operation);
  if (status === 404) return operation.parameters.some((parameter) => parameter.in === 'path') && !lists(410);
  if (kind === 'valid') return false;
  if (status === 400 || status === 422) return !lists(400, 422);
  // Without a body there is often no media type either.
  if (status === 415) return why.some((objection) => /media type|the body is missing/.test(objection));
  return TOO_LARGE.has(status);
}

/** Whether the operation lists only refusals and failures, as an operation that is out of service does. */
export function listsNoSuccess({ answers }: Operation): boolean {
  return answers.length > 0 && answers.every(({ status }) => /^[45]/.test(status));
}
