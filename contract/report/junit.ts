import { CHECKS, type ContractFinding, type ContractReport } from './types.js';

/** The report as JUnit XML: one suite, a case for each operation and check, so that CI shows what broke. */
export function toJUnit(report: ContractReport): string {
  const seconds = (report.durationMs / 1_000).toFixed(3);
  const own = [...new Set(report.failures.map(({ operation }) => operation))].filter(
    (operation) => !report.operations.some((each) => each.operation === operation),
  );
  const cases = [...report.operations.map(({ operation }) => operation), ...own].flatMap((operation) =>
    casesOf(
      operation,
      report.failures.filter((failure) => failure.operation === operation),
      report.untested.find((each) => each.operation === operation)?.reason,
    ),
  );
  const failed = cases.filter(({ outcome }) => outcome === 'failed').length;
  const skipped = cases.filter(({ outcome }) => outcome === 'skipped').length;
  const counts = `tests="${String(cases.length)}" failures="${String(failed)}" errors="0" skipped="${String(skipped)}" time="${seconds}"`;
  const name = escape(`${report.spec.title} ${report.spec.version}`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="latchkey contract" ${counts}>`,
    `  <testsuite name="${name}" ${counts} timestamp="${report.startedAt}" hostname="${escape(new URL(report.url).host)}">`,
    '    <properties>',
    `      <property name="seed" value="${String(report.seed)}"/>`,
    `      <property name="requests" value="${String(report.requests)}"/>`,
    '    </properties>',
    ...cases.map(({ xml }) => xml),
    ...outputOf(report),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

interface TestCase {
  xml: string;
  outcome: 'passed' | 'failed' | 'skipped';
}

/** Every check that an operation failed; else one case, which is skipped where the operation is not fully tested. */
function casesOf(operation: string, failures: ContractFinding[], untested: string | undefined): TestCase[] {
  const open = (name: string) => `    <testcase classname="${escape(operation)}" name="${escape(name)}"`;
  if (failures.length === 0 && untested !== undefined) {
    const skipped = `<skipped message="${escape(untested)}"/>`;
    return [{ xml: `${open('holds the contract')}>${skipped}</testcase>`, outcome: 'skipped' }];
  }
  if (failures.length === 0) return [{ xml: `${open('holds the contract')}/>`, outcome: 'passed' }];
  return failures.map((failure) => ({
    outcome: 'failed',
    xml: [
      `${open(`${CHECKS[failure.check]}: ${failure.message}`)}>`,
      `      <failure type="${failure.check}" message="${escape(failure.message)}">${escape(textOf(failure))}</failure>`,
      '    </testcase>',
    ].join('\n'),
  }));
}

function textOf({ expected, received, curl, seed }: ContractFinding): string {
  return `expected: ${expected}\nreceived: ${received}\n\n${curl}\n\nseed: ${String(seed)}`;
}

/** Warnings and notes: JUnit has no test that is neither passed nor failed, so they stand in the suite's output. */
function outputOf({ warnings, notes }: ContractReport): string[] {
  const lines = [
    ...warnings.map((warning) => `warning: ${warning.operation}: ${warning.message}\n${textOf(warning)}\n`),
    ...notes.map((note) => `note: ${note}`),
  ];
  return lines.length === 0 ? [] : [`    <system-out>${escape(lines.join('\n'))}</system-out>`];
}

/** Escapes markup and drops what XML 1.0 cannot hold at all. */
function escape(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
