import { escapeMarkup } from '../markup.js';
import { againOf, bugsOf, type ToldOptions } from './bugs.js';
import { CHECKS, type ContractFinding, type ContractReport } from './types.js';

interface TestCase {
  outcome: 'passed' | 'failed' | 'skipped';
  xml: string;
}

/**
 * The report as JUnit XML. Each operation has a test suite with one failed test for each fault, or with one passed or
 * skipped test. A fault that follows from another also has a test, whose text names the fault that it follows from.
 */
export function toJUnit(report: ContractReport, told: ToldOptions = {}): string {
  const seconds = (report.durationMs / 1_000).toFixed(3);
  const inTable = report.operations.map(({ operation }) => operation);
  const others = report.failures.map(({ operation }) => operation).filter((operation) => !inTable.includes(operation));
  const suites = [...inTable, ...new Set(others)].map((operation) => ({
    operation,
    cases: casesOf(report, operation, told),
  }));
  const all = suites.flatMap(({ cases }) => cases);
  const stamp = `timestamp="${report.startedAt}" hostname="${escapeMarkup(new URL(report.url).host)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="latchkey contract" ${countsOf(all)} time="${seconds}">`,
    ...suites.flatMap(({ operation, cases }) => [
      `  <testsuite name="${escapeMarkup(operation)}" ${countsOf(cases)} time="${timeOf(report, operation)}" ${stamp}>`,
      ...propertiesOf(report, operation),
      ...cases.map(({ xml }) => xml),
      ...outputOf(report, operation, told),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function countsOf(cases: TestCase[]): string {
  const number = (wanted: TestCase['outcome']) => String(cases.filter(({ outcome }) => outcome === wanted).length);
  return `tests="${String(cases.length)}" failures="${number('failed')}" errors="0" skipped="${number('skipped')}"`;
}

/** Seconds that the server took for all requests of an operation. */
function timeOf({ operations }: Pick<ContractReport, 'operations'>, id: string): string {
  return ((operations.find(({ operation }) => operation === id)?.durationMs ?? 0) / 1_000).toFixed(3);
}

function propertiesOf({ operations, seed, spec }: ContractReport, id: string): string[] {
  const found = operations.find(({ operation }) => operation === id);
  const properties = {
    document: `${spec.title} ${spec.version}`,
    seed: String(seed),
    ...(found && {
      request: `${found.method} ${found.path}`,
      requests: String(found.requests),
      statuses: Object.entries(found.seen)
        .map(([status, times]) => `${status}×${String(times)}`)
        .join(' '),
    }),
  };
  return [
    '    <properties>',
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${name}" value="${escapeMarkup(value)}"/>`,
    ),
    '    </properties>',
  ];
}

function casesOf({ failures, untested, operations }: ContractReport, operation: string, told: ToldOptions): TestCase[] {
  const open = (name: string) => `    <testcase classname="${escapeMarkup(operation)}" name="${escapeMarkup(name)}"`;
  const own = failures.filter((failure) => failure.operation === operation);
  const report = operations.find((each) => each.operation === operation);
  const why = untested.find((each) => each.operation === operation)?.reason;
  const isSpared = report !== undefined && report.requests === 0 ? report.skipped[0] : undefined;
  const reason = why ?? isSpared;
  if (own.length === 0 && reason !== undefined) {
    const skipped = `<skipped message="${escapeMarkup(reason)}"/>`;
    return [{ outcome: 'skipped', xml: `${open('keeps the contract')}>${skipped}</testcase>` }];
  }
  const time = ` time="${timeOf({ operations }, operation)}"`;
  if (own.length === 0) return [{ outcome: 'passed', xml: `${open('keeps the contract')}${time}/>` }];
  return own.map((failure) => ({
    outcome: 'failed',
    xml: [
      `${open(`${CHECKS[failure.check]}: ${failure.message}`)}${own.length === 1 ? time : ''}>`,
      `      <failure type="${failure.check}" message="${escapeMarkup(failure.message)}">${escapeMarkup(textOf(failure, told))}</failure>`,
      '    </testcase>',
    ].join('\n'),
  }));
}

function textOf(finding: ContractFinding, told: ToldOptions): string {
  const { expected, received, curl, follows } = finding;
  const cause = follows === undefined ? '' : `follows from fault ${follows}\n`;
  return `${cause}expected: ${expected}\nreceived: ${received}\n\n${curl}\n\nagain: ${againOf(finding, told)}`;
}

/** Warnings and notes, as the output of a suite: JUnit has no test result for them. */
function outputOf({ warnings, notes, operations }: ContractReport, operation: string, told: ToldOptions): string[] {
  const own = warnings.filter((warning) => warning.operation === operation);
  const isFirst = operations[0]?.operation === operation;
  const lines = [
    ...bugsOf(own).map(({ finding }) => `warning: ${finding.message}\n${textOf(finding, told)}\n`),
    ...(isFirst ? notes.map((note) => `note: ${note}`) : []),
  ];
  return lines.length === 0 ? [] : [`    <system-out>${escapeMarkup(lines.join('\n'))}</system-out>`];
}
