import { againOf, type Bug, bugsOf, type ToldOptions } from './bugs.js';
import type { ContractFinding, ContractReport, OperationReport } from './types.js';

/**
 * The report as text for a terminal: a table of the statuses of each operation, what was not sent, what is untested,
 * the notes, the findings and a closing line. `quiet` leaves out the table, what was not sent and the notes. With
 * `command`, the `again` line of each finding is the whole command that reproduces it.
 */
export function toSummary(
  report: ContractReport,
  { quiet = false, ...told }: ToldOptions & { quiet?: boolean } = {},
): string {
  const { failures, operations, warnings, notes, untested } = report;
  const about = [
    table(operations),
    ...operations.flatMap(({ operation, skipped }) => skipped.map((why) => `not sent: ${operation}: ${why}`)),
  ];
  return [
    ...(quiet ? [] : about),
    ...untested.map(
      ({ operation, reason, succeeded }) => `${succeeded ? 'tested in part' : 'untested'}: ${operation}: ${reason}`,
    ),
    ...(quiet ? [] : notes.map((note) => `note: ${note}`)),
    ...bugsOf(warnings).map((bug) => `\n${describe(bug, `warning ${bug.finding.id}`, told)}`),
    ...bugsOf(failures, warnings).map((bug) => `\n${describe(bug, bug.finding.id, told)}`),
    '',
    verdict(report),
  ].join('\n');
}

function verdict(report: ContractReport): string {
  const { held, complete, failures, warnings, requests, durationMs, seed, spec, url } = report;
  const isKept = held || complete;
  const what =
    failures.length > 0 ? 'breaks the contract of' : isKept ? 'keeps the contract of' : 'is not fully tested against';
  const outcome = [
    ...(failures.length === 0 ? [] : [count(bugsOf(failures).length, 'fault')]),
    ...(bugsOf(warnings).length === 0 ? [] : [count(bugsOf(warnings).length, 'warning')]),
    ...(complete ? [] : [incompleteness(report)]),
  ].join(', ');
  const size = `${String(requests)} requests in ${(durationMs / 1_000).toFixed(1)} s, seed ${String(seed)}`;
  return `${url} ${what} ${spec.title} ${spec.version}${outcome === '' ? '' : `: ${outcome}`} (${size})`;
}

/** How many operations the run did not test, or tested in part. */
function incompleteness({ ended, untested, operations }: ContractReport): string {
  const none = untested.filter(({ succeeded }) => !succeeded).length;
  const part = untested.length - none;
  const all = count(operations.length, 'operation');
  const inPart = none === 0 ? `${String(part)} of ${all} tested in part` : `${String(part)} tested in part`;
  const counts = [...(none === 0 ? [] : [`${String(none)} of ${all} untested`]), ...(part === 0 ? [] : [inPart])].join(
    ', ',
  );
  return [...(ended === undefined ? [] : [ended]), ...(counts === '' ? [] : [counts])].join(': ');
}

function table(operations: OperationReport[]): string {
  const rows = operations.map((operation) => {
    const { seen, documented } = operation;
    const statuses = Object.keys(seen).sort();
    const unseen = documented.filter((status) => !(status in seen) && /^\d+$/.test(status) && !status.startsWith('5'));
    return [
      operation.operation,
      String(operation.requests),
      statuses.map((status) => `${status}×${String(seen[status])}`).join(' ') || '-',
      unseen.join(' ') || '-',
    ];
  });
  const header = ['OPERATION', 'REQUESTS', 'SEEN', 'DOCUMENTED, NOT SEEN'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** All lines about one bug: the expected and the received answer, the request, consequences, how to reproduce it. */
function describe({ finding, consequences }: Bug, number: string, told: ToldOptions): string {
  const times = finding.occurrences > 1 ? ` (${String(finding.occurrences)} times)` : '';
  return [
    `${number}. ${finding.operation}: ${finding.message}${times}`,
    `   check     ${finding.check}, ${finding.phase}: ${finding.case}`,
    `   expected  ${finding.expected}`,
    `   received  ${indent(finding.received)}`,
    ...(finding.curl === '' ? [] : [`   ${indent(finding.curl)}`]),
    ...consequences.slice(0, MOST_TOLD).map(consequence),
    ...(consequences.length > MOST_TOLD ? [`   and       ${String(consequences.length - MOST_TOLD)} more`] : []),
    `   again     ${againOf(finding, told)}`,
  ].join('\n');
}

/** Most consequences of one bug in the summary; the other reports list all. */
const MOST_TOLD = 10;

function consequence({ operation, message }: ContractFinding): string {
  return `   hence     ${operation}: ${message}`;
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n     ');
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}
