import { answerFor, isSecured, type Operation } from '../document/model.js';
import type { Verdict } from '../http/decode.js';

/** Statuses of HTTP for a request that is too large; they apply to every operation. */
const TOO_LARGE = new Set([413, 414, 431]);

/**
 * Whether a correct server has no other choice than this undocumented status, because the operation documents none for
 * such a request. OpenAPI does not require a document to list every status.
 */
export function isInevitable(operation: Operation, status: number, { kind, why }: Verdict): boolean {
  const lists = (...statuses: number[]) => statuses.some((each) => answerFor(operation, each) !== undefined);
  if (lists(status)) return false;
  if (status === 401) return isSecured(operation);
  if (status === 404) return operation.parameters.some((parameter) => parameter.in === 'path') && !lists(410);
  if (kind === 'valid') return false;
  if (status === 400 || status === 422) return !lists(400, 422);
  // A request without a body often has no media type.
  if (status === 415) return why.some((objection) => /media type|the body is missing/.test(objection));
  return TOO_LARGE.has(status);
}

/** Whether the operation documents only errors, such as an operation that is out of service. */
export function listsNoSuccess({ answers }: Operation): boolean {
  return answers.length > 0 && answers.every(({ status }) => /^[45]/.test(status));
}
