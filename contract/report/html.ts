import { HTML_STYLE } from './html-style.js';
import { CHECKS, type Check, type ContractFinding, type ContractReport, type OperationReport } from './types.js';

/** The report as one page without anything from elsewhere: neither scripts nor fonts nor pictures to load. */
export function toHtml(report: ContractReport): string {
  const { spec, held, failures, operations, warnings } = report;
  const outcome = held ? 'holds' : failures.length > 0 ? 'is broken' : 'is not fully tested';
  const title = `${spec.title} ${spec.version} ${outcome}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<header class="${held ? 'held' : 'broken'}">
<p class="mark" aria-hidden="true">${held ? '✓' : '✗'}</p>
<div>
<h1>${escape(spec.title)} <small>${escape(spec.version)}</small></h1>
<p>${escape(report.url)} ${failures.length > 0 ? `breaks the contract in ${count(failures.length, 'way')}` : held ? 'holds the contract' : 'is not fully tested'}</p>
</div>
</header>
<main>
${figures(report)}
${checks(failures)}
${failures.length === 0 ? '' : `<h2>What is broken</h2>${failures.map(finding).join('\n')}`}
${warnings.length === 0 ? '' : `<h2>Warnings: good practice, which the contract does not demand</h2>${warnings.map(finding).join('\n')}`}
<h2>Statuses, documented and seen</h2>
<p class="legend"><b class="s s2">200 ×3</b> seen and documented <b class="s unseen">404</b> documented, not seen <b class="s stray">418 ×1</b> seen, not documented</p>
${table(operations, failures)}
${notes(report)}
</main>
<footer>latchkey contract, ${escape(report.startedAt)}. Replay with <code>--seed ${String(report.seed)}</code>.</footer>
</body>
</html>
`;
}

function figures({ requests, durationMs, operations, seed, ended, spec }: ContractReport): string {
  const figure = (value: string, label: string) => `<li><b>${escape(value)}</b> ${escape(label)}</li>`;
  return `<ul class="figures">
${figure(String(requests), 'requests')}
${figure(`${(durationMs / 1_000).toFixed(1)} s`, ended === undefined ? 'in all' : ended)}
${figure(String(operations.length), 'operations')}
${figure(String(seed), 'seed')}
${figure(spec.openapi, 'OpenAPI')}
</ul>`;
}

function checks(failures: ContractFinding[]): string {
  const rows = (Object.keys(CHECKS) as Check[]).map((check) => {
    const faults = failures.filter((each) => each.check === check).length;
    const state =
      faults === 0 ? '<span class="ok">no fault</span>' : `<span class="bad">${count(faults, 'fault')}</span>`;
    return `<li class="${faults === 0 ? '' : 'bad'}">${state} ${escape(CHECKS[check])}</li>`;
  });
  return `<h2>Promises</h2><ul class="checks">${rows.join('\n')}</ul>`;
}

function finding(each: ContractFinding): string {
  const { severity, operation, message, check, phase, expected, received, curl, occurrences } = each;
  return `<details class="finding ${severity}" open>
<summary><b>${escape(operation)}</b> ${escape(message)}${occurrences > 1 ? ` <small>${String(occurrences)} times</small>` : ''}</summary>
<p class="about"><code>${escape(each.method)} ${escape(each.path)}</code> found by ${escape(check)} in ${escape(phase)}: ${escape(each.case)}</p>
<dl>
<dt>Expected</dt><dd>${escape(expected)}</dd>
<dt>Received</dt><dd><pre>${escape(received)}</pre></dd>
${curl === '' ? '' : `<dt>Request</dt><dd><pre>${escape(curl)}</pre></dd>`}
</dl>
</details>`;
}

function table(operations: OperationReport[], failures: ContractFinding[]): string {
  const rows = operations.map((each) => {
    const faults = failures.filter(({ operation }) => operation === each.operation).length;
    return `<tr class="${faults === 0 ? '' : 'bad'}">
<td><b class="method ${escape(each.method.toLowerCase())}">${escape(each.method)}</b></td>
<td><b>${escape(each.operation)}</b><br><code>${escape(each.path)}</code></td>
<td class="number">${String(each.requests)}</td>
<td>${statuses(each)}</td>
<td class="number">${faults === 0 ? '' : String(faults)}</td>
</tr>`;
  });
  return `<div class="scroll"><table>
<thead><tr><th></th><th>Operation</th><th class="number">Requests</th><th>Statuses</th><th class="number">Faults</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table></div>`;
}

function statuses({ documented, seen }: OperationReport): string {
  const isDocumented = (status: string) =>
    documented.some((each) => each === status || each === 'default' || each.toUpperCase() === `${status.charAt(0)}XX`);
  const badges = Object.entries(seen).map(([status, times]) => {
    // 405 answers methods that are not in the spec, so it need not be there.
    const isKnown = isDocumented(status) || status === '405';
    return `<b class="s ${isKnown ? `s${status.charAt(0)}` : 'stray'}">${status} ×${String(times)}</b>`;
  });
  const unseen = documented
    .filter((status) => !(status in seen))
    .map((status) => `<b class="s unseen">${escape(status)}</b>`);
  return [...badges, ...unseen].join(' ');
}

function notes({ operations, notes: lines, untested }: ContractReport): string {
  const skipped = operations.flatMap((each) => each.skipped.map((why) => `${each.operation}: not sent: ${why}`));
  const gaps = untested.map(({ operation, reason }) => `${operation}: untested: ${reason}`);
  const all = [...gaps, ...lines, ...skipped];
  if (all.length === 0) return '';
  return `<h2>To know</h2><ul class="notes">${all.map((note) => `<li>${escape(note)}</li>`).join('\n')}</ul>`;
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
