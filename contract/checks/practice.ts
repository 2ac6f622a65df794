import type { Practice } from '../laws/types.js';
import type { ContractOptions } from '../options.js';
import type { Check } from '../report/types.js';
import type { Finding } from './answer.js';

/** A finding about a good practice: a fault if `laws.practices` has that practice, else a warning. */
export function practice(
  { laws }: ContractOptions,
  name: Practice,
  check: Check,
  message: string,
  expected: string,
): Finding {
  return { check, message, expected, severity: laws?.practices?.includes(name) === true ? 'fault' : 'warning' };
}
