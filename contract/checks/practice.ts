import type { Practice } from '../laws/types.js';
import type { ContractOptions } from '../options.js';
import type { Check } from '../report/types.js';
import type { Finding } from './answer.js';

/** What breaks a good practice: a warning, and a fault where the laws of the configuration have that practice. */
export function practice(
  { laws }: ContractOptions,
  name: Practice,
  check: Check,
  message: string,
  expected: string,
): Finding {
  return { check, message, expected, severity: laws?.practices?.includes(name) === true ? 'fault' : 'warning' };
}
