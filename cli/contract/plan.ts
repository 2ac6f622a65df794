import type { ContractPlan } from '../../contract/index.js';

/** The table of `--list`: each operation with its planned requests. */
export function toPlanTable({ operations, requests }: ContractPlan): string {
  const rows = operations.map((operation) => {
    const counts = Object.entries(operation.requests);
    const sum = counts.reduce((total, [, count]) => total + count, 0);
    const kinds = counts.map(([phase, count]) => `${phase} ${String(count)}`).join(', ');
    const why = operation.skipped.map((reason) => `not sent: ${reason}`);
    const what = [kinds, ...why].filter((text) => text !== '').join('; ');
    return [operation.operation, `${operation.method} ${operation.path}`, String(sum), what];
  });
  // What answers lead to, such as further pages, only a run tells.
  const header = ['OPERATION', 'REQUEST', 'APPROX. REQUESTS', 'WHAT'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const closing = `about ${String(requests.length)} requests to ${String(operations.length)} operations; nothing was sent`;
  return [...lines, '', closing].join('\n');
}

/** The output of `--dry-run`: each planned request as a curl command. */
export function toPlanLines({ requests }: ContractPlan): string {
  return requests
    .map(
      (request) => `# ${request.operation}, ${request.phase}: ${request.case.replace(/\s+/g, ' ')}\n${request.curl}\n`,
    )
    .join('\n');
}
