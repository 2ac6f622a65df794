import { createContext } from './context.js';
import { OutOfTime } from './errors.js';
import type { ContractOptions } from './options.js';
import { runPhases } from './phases/index.js';
import type { ContractReport } from './report/types.js';

export { readCredential } from './config/secret.js';
export { CouldNotRun } from './errors.js';
export {
  COMPARISONS,
  type Comparison,
  type ConstantLaw,
  type FilterLaw,
  type HeaderLaw,
  type Laws,
  PRACTICES,
  type Practice,
  type RefusalLaw,
  type SortLaw,
  type UndoLaw,
} from './laws/types.js';
export type { ContractOptions, Identity } from './options.js';
export { toHtml } from './report/html.js';
export { toJUnit } from './report/junit.js';
export { toSummary } from './report/summary.js';
export {
  CHECKS,
  type Check,
  type ContractFinding,
  type ContractProgress,
  type ContractReport,
  type OperationReport,
  type Phase,
  type Severity,
  type Untested,
} from './report/types.js';

/**
 * Holds a server against an OpenAPI document and resolves with what it found; `report.held` says whether the server
 * keeps the contract: there is no fault, and everything was tested.
 *
 * Requests are derived from the document: its examples, every edge of every schema, random ones, and sequences along
 * its links and paths. The run creates things, and ends those that it has created: point it at a server for tests.
 *
 * Rejects with `CouldNotRun` where the document cannot be read, the server does not answer or refuses the credential.
 *
 * ```ts
 * const report = await testContract({ url, spec: 'openapi.yaml', token });
 * expect(report.failures).toEqual([]);
 * expect(report.held).toBe(true);
 * ```
 */
export async function testContract(options: ContractOptions): Promise<ContractReport> {
  const context = await createContext(options);
  try {
    context.run.watchTime();
    await runPhases(context).catch((error: unknown) => {
      if (!(error instanceof OutOfTime)) throw error;
    });
    return context.run.record.finish();
  } finally {
    context.run.close();
  }
}
