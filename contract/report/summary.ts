import type { ContractFinding, ContractReport, OperationReport } from './types.js';

/** The report for a terminal: the table of documented against seen statuses, the failures, and one closing line. */
export function toSummary(report: ContractReport): string {
  const { failures, operations, warnings, notes } = report;
  return [
    table(operations),
    ...operations.flatMap(({ operation, skipped }) => skipped.map((why) => `not sent: ${operation}: ${why}`)),
    ...notes.map((note) => `note: ${note}`),
    ...warnings.map((warning, index) => `\n${describe(warning, `warning ${String(index + 1)}`)}`),
    ...failures.map((failure, index) => `\n${describe(failure, String(index + 1))}`),
    '',
    verdict(report),
  ].join('\n');
}

function verdict({
  held,
  failures,
  warnings,
  requests,
  durationMs,
  seed,
  spec,
  url,
  cutShort,
}: ContractReport): string {
  const what = held ? 'holds' : 'breaks';
  const counts = [
    ...(held ? [] : [count(failures.length, 'fault')]),
    ...(warnings.length === 0 ? [] : [count(warnings.length, 'warning')]),
  ];
  const outcome = counts.length === 0 ? '' : `: ${counts.join(', ')}`;
  const size = `${String(requests)} requests in ${(durationMs / 1_000).toFixed(1)} s, seed ${String(seed)}`;
  const cut = cutShort ? '; it ended before all cases were sent' : '';
  return `${url} ${what} ${spec.title} ${spec.version}${outcome} (${size}${cut})`;
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

/** One finding in full: what was sent as curl, what ought to come, what came, and how to see it again. */
function describe(failure: ContractFinding, number: string): string {
  const times = failure.occurrences > 1 ? ` (${String(failure.occurrences)} times)` : '';
  return [
    `${number}. ${failure.operation}: ${failure.message}${times}`,
    `   check     ${failure.check}, ${failure.phase}: ${failure.case}`,
    `   expected  ${failure.expected}`,
    `   received  ${indent(failure.received)}`,
    ...(failure.curl === '' ? [] : [`   ${indent(failure.curl)}`]),
    `   again     --seed ${String(failure.seed)} --only '${failure.operation}'`,
  ].join('\n');
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n     ');
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}
