import type { Practice } from '../laws/types.js';
import type { ContractOptions } from '../options.js';
import type { Check } from '../report/types.js';
import type { Finding } from './answer.js';

/** A finding about a good practice: a fault if `laws.practices` has that practice, else a warning. */
export function practice(
  { laws }: Pick<ContractOptions, 'laws'>,
  name: Practice,
  check: Check,
  message: string,
  expected: string,
): Finding {
  return { check, message, expected, severity: promises({ laws }, name) ? 'fault' : 'warning' };
}

/** Whether the options promise a practice. Some practices are so rare that only a promise makes the run check them. */
export function promises({ laws }: Pick<ContractOptions, 'laws'>, name: Practice): boolean {
  return laws?.practices?.includes(name) === true;
}
