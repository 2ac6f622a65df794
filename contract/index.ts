import { createContext } from './context.js';
import { OutOfTime } from './errors.js';
import { callHook } from './hooks.js';
import type { ContractOptions } from './options.js';
import { runPhases } from './phases/index.js';
import type { ContractReport } from './report/types.js';

export { CONFIG_FILE, readContractConfig } from './config/read.js';
export { readCredential } from './config/secret.js';
export type { PlannedRequest } from './dry-run.js';
export { CouldNotRun } from './errors.js';
export type { ContractHooks, HookAnswer, HookCase, HookRequest, SetUp } from './hooks.js';
export { credentialLabel, headerLabel, OTHER } from './labels.js';
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
  type Step,
  type UndoLaw,
  type Workflow,
} from './laws/types.js';
export type { ContractOptions, Identity } from './options.js';
export { type ContractPlan, type PlannedOperation, planContract } from './plan.js';
export type { ToldOptions } from './report/bugs.js';
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

import { dateNow } from './timers.js';

/**
 * Tests a server against an OpenAPI document and resolves with a report. `report.held` says whether the server keeps
 * the contract: the run found no fault and tested everything.
 *
 * Requests are derived from the document: its examples, the boundaries of every schema, random values, and sequences
 * along its links and paths. The run creates things, and deletes only what it has created: use a test server.
 *
 * Rejects with `CouldNotRun` if the document cannot be read, or the server does not answer or rejects the credential.
 *
 * ```ts
 * const report = await testContract({ url, spec: 'openapi.yaml', token });
 * expect(report.failures).toEqual([]);
 * expect(report.held).toBe(true);
 * ```
 */
export async function testContract(options: ContractOptions): Promise<ContractReport> {
  const { setUp, tearDown } = options.hooks ?? {};
  const more = setUp && (await callHook('setUp', () => setUp({ url: options.url })));
  try {
    return await runSeeds({ ...options, ...more });
  } finally {
    if (tearDown) await callHook('tearDown', tearDown);
  }
}

/** Runs once for each seed, all within `timeMs`. Gives the first report that is not `held`, or the last. */
async function runSeeds({ seeds, ...options }: ContractOptions): Promise<ContractReport> {
  const [first, ...others] = seeds ?? [];
  const startedAt = dateNow();
  let report = await runOnce(first === undefined ? options : { ...options, seed: first });
  for (const seed of others) {
    if (!report.held) break;
    const timeMs = Math.max(1, (options.timeMs ?? 60_000) - (dateNow() - startedAt));
    report = await runOnce({ ...options, seed, timeMs });
  }
  return report;
}

async function runOnce(options: ContractOptions): Promise<ContractReport> {
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
