import { beforeAll, describe, test } from 'vitest';
import { loadDocument } from './document/load.js';
import { readSpec } from './document/read.js';
import { type ContractFinding, type ContractOptions, type ContractReport, testContract } from './index.js';
import { bugsOf } from './report/bugs.js';
import { leftOutOf } from './selection.js';

/** A value, or a function that returns it and is called after `beforeAll` hooks, which may start the server. */
type Late<T> = T | (() => T | Promise<T>);

/** The options of `testContract`. Values that are known only when the tests run may be functions. */
export type DescribeContractOptions = Omit<
  ContractOptions,
  'url' | 'token' | 'credentials' | 'login' | 'onProgress'
> & {
  url: Late<string>;
  token?: Late<string>;
  credentials?: Late<Record<string, string>>;
  login?: Late<{ username: string; password: string }>;
  /** The name of the enclosing `describe`; `contract` by default. */
  title?: string;
};

/** Milliseconds that a run may take beyond `timeMs`, for its set-up and a last answer. */
const SLACK = 30_000;

/**
 * Defines one vitest test for each operation of the document, so that a failure names the operation. The contract tests
 * run once, before the first of these tests. Call it at the top level of a test file or in a `describe`.
 *
 * ```ts
 * const server = latchkeyPerFile();
 * describeContract({ url: () => server.url, spec: 'openapi.yaml', token: () => makeToken(server) });
 * ```
 */
export function describeContract(options: DescribeContractOptions): void {
  const { title = 'contract', url, token, credentials, login, ...plain } = options;
  const { only } = options;

  describe(title, async () => {
    const spec = readSpec(await loadDocument(options.spec));
    const leaveOut = leftOutOf(spec, options.leaveOut);
    const selected = spec.operations.filter(({ id, tags }) => only === undefined || id === only || tags.includes(only));

    let report: ContractReport | undefined;
    beforeAll(
      async () => {
        report = await testContract({
          ...plain,
          url: await valueOf(url),
          ...(token !== undefined && { token: await valueOf(token) }),
          ...(credentials !== undefined && { credentials: await valueOf(credentials) }),
          ...(login !== undefined && { login: await valueOf(login) }),
        });
      },
      (options.timeMs ?? 60_000) + SLACK,
    );

    for (const { id } of selected) {
      const why = leaveOut[id];
      test.skipIf(why !== undefined)(why === undefined ? id : `${id} (left out: ${why})`, () => {
        if (report !== undefined) expectHeld(report, id, options.allowIncomplete === true);
      });
    }
    test('the run as a whole', () => {
      if (report === undefined) throw new Error('the contract tests did not run');
      const others = report.failures.filter(({ operation }) => !selected.some(({ id }) => id === operation));
      if (others.length > 0)
        throw new Error(
          bugsOf(asRoots(others))
            .map(({ finding }) => textOf(finding))
            .join('\n\n'),
        );
      if (selected.length === 0) throw new Error(`${String(only)} is neither a tag nor an operationId of the document`);
    });
  });
}

function expectHeld({ failures, untested }: ContractReport, operation: string, allowIncomplete: boolean): void {
  const own = failures.filter((failure) => failure.operation === operation);
  if (own.length > 0) throw new Error(`${operation}: ${own.map(textOf).join('\n\n')}`);
  const gap = untested.find((each) => each.operation === operation);
  if (gap !== undefined && !allowIncomplete) throw new Error(`${operation} is not fully tested: ${gap.reason}`);
}

function asRoots(findings: ContractFinding[]): ContractFinding[] {
  return findings.map((finding) => {
    const root = { ...finding };
    delete root.follows;
    return root;
  });
}

function textOf(finding: ContractFinding): string {
  const { message, case: name, expected, received, curl, follows, seed, only } = finding;
  const again = `with seed: ${String(seed)}${only === undefined ? '' : ` and only: ${JSON.stringify(only)}`}`;
  return [
    message,
    ...(follows === undefined ? [] : [`follows from fault ${follows} of the run`]),
    `case      ${name}`,
    `expected  ${expected}`,
    `received  ${received}`,
    ...(curl === '' ? [] : [curl]),
    `again     ${again}`,
  ].join('\n');
}

async function valueOf<T>(late: Late<T>): Promise<T> {
  return await (typeof late === 'function' ? (late as () => T | Promise<T>)() : late);
}
