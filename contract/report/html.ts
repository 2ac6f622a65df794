import { escapeMarkup as escape } from '../markup.js';
import { againOf, type Bug, bugsOf, type ToldOptions } from './bugs.js';
import { coverageOf, type StatusCoverage } from './coverage.js';
import { HTML_STYLE } from './html-style.js';
import { CHECKS, type Check, type ContractFinding, type ContractReport, type OperationReport } from './types.js';

/** The report as one HTML page that loads nothing: no scripts, fonts or images. */
export function toHtml(report: ContractReport, told: ToldOptions = {}): string {
  const { spec, held, failures, operations, warnings } = report;
  const outcome = held ? 'is kept' : failures.length > 0 ? 'is broken' : 'is not fully tested';
  const title = `${spec.title} ${spec.version} ${outcome}`;
  const faults = bugsOf(failures, warnings);
  const verdict =
    faults.length > 0
      ? `breaks the contract in ${count(faults.length, 'way')}`
      : held
        ? 'keeps the contract'
        : 'is not fully tested';
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
<p>${escape(report.url)} ${verdict}</p>
</div>
</header>
<main>
${figures(report)}
<h2>Operations and their statuses</h2>
<p class="legend"><b class="s s2">200 ×3</b> seen <b class="s unseen">404</b> documented, not seen <b class="s never">500</b> cannot be provoked by a run <b class="s stray">418 ×1</b> seen, not documented</p>
${table(report)}
${faults.length === 0 ? '' : `<h2>Faults</h2>${faults.map((bug) => describe(bug, told)).join('\n')}`}
${
  bugsOf(warnings).length === 0
    ? ''
    : `<h2>Warnings: good practice that the contract does not require</h2>${bugsOf(warnings)
        .map((bug) => describe(bug, told))
        .join('\n')}`
}
${checks(failures)}
${notes(operations, report)}
</main>
<footer>latchkey contract, ${escape(report.startedAt)}. Repeat the run with <code>${escape(againOf({ seed: report.seed }, told))}</code>.</footer>
</body>
</html>
`;
}

function figures({ requests, durationMs, operations, untested, seed, ended, spec }: ContractReport): string {
  const figure = (value: string, label: string) => `<li><b>${escape(value)}</b> ${escape(label)}</li>`;
  return `<ul class="figures">
${figure(`${String(operations.length - untested.length)} of ${String(operations.length)}`, 'operations fully tested')}
${figure(String(requests), 'requests')}
${figure(`${(durationMs / 1_000).toFixed(1)} s`, ended === undefined ? 'in all' : ended)}
${figure(String(seed), 'seed')}
${figure(spec.openapi, 'OpenAPI')}
</ul>`;
}

function table({ operations, failures, untested }: ContractReport): string {
  const rows = operations.map((each) => {
    const own = failures.filter(({ operation }) => operation === each.operation);
    const faults = own.length;
    const following = own.filter(({ follows }) => follows !== undefined).length;
    const gap = untested.find(({ operation }) => operation === each.operation);
    const state = faults > 0 ? 'bad' : gap === undefined ? '' : 'gap';
    const more =
      following === 0 ? '' : `<small>${String(following)} that ${following === 1 ? 'follows' : 'follow'}</small>`;
    const tested = gap === undefined ? '' : gap.succeeded ? 'tested in part' : 'untested';
    const verdict = faults > 0 ? `${count(faults - following, 'fault')}${more}` : tested;
    return `<tr class="${state}">
<td><b class="method ${escape(each.method.toLowerCase())}">${escape(each.method)}</b></td>
<td><b>${escape(each.operation)}</b><br><code>${escape(each.path)}</code></td>
<td class="number">${String(each.requests)}</td>
<td>${coverageOf(each).map(badge).join(' ')}</td>
<td class="number">${verdict}</td>
</tr>`;
  });
  return `<div class="scroll"><table>
<thead><tr><th></th><th>Operation</th><th class="number">Requests</th><th>Statuses</th><th class="number">Verdict</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table></div>`;
}

function badge({ status, times, state }: StatusCoverage): string {
  if (state === 'not seen') return `<b class="s unseen" title="documented, not seen">${escape(status)}</b>`;
  if (state === 'cannot be provoked')
    return `<b class="s never" title="cannot be provoked by a run">${escape(status)}</b>`;
  const look = state === 'not documented' ? 'stray' : `s${status.charAt(0)}`;
  return `<b class="s ${look}">${escape(status)} ×${String(times)}</b>`;
}

function describe({ finding, consequences }: Bug, told: ToldOptions): string {
  const { severity, id, operation, message, check, phase, expected, received, curl, occurrences } = finding;
  return `<details class="finding ${severity}" open>
<summary>${escape(id)}. <b>${escape(operation)}</b> ${escape(message)}${occurrences > 1 ? ` <small>${String(occurrences)} times</small>` : ''}</summary>
<p class="about"><code>${escape(finding.method)} ${escape(finding.path)}</code> found by ${escape(check)} in ${escape(phase)}: ${escape(finding.case)}</p>
<dl>
<dt>Expected</dt><dd>${escape(expected)}</dd>
<dt>Received</dt><dd><pre>${escape(received)}</pre></dd>
${curl === '' ? '' : `<dt>Request</dt><dd><pre>${escape(curl)}</pre></dd>`}
<dt>Again</dt><dd><code>${escape(againOf(finding, told))}</code></dd>
${consequences.length === 0 ? '' : `<dt>Hence</dt><dd><ul class="hence">${consequences.map(consequence).join('\n')}</ul></dd>`}
</dl>
</details>`;
}

function consequence({ operation, message }: ContractFinding): string {
  return `<li><b>${escape(operation)}</b> ${escape(message)}</li>`;
}

function checks(failures: ContractFinding[]): string {
  const rows = (Object.keys(CHECKS) as Check[]).map((check) => {
    const faults = failures.filter((each) => each.check === check).length;
    const state =
      faults === 0 ? '<span class="ok">no fault</span>' : `<span class="bad">${count(faults, 'fault')}</span>`;
    return `<li class="${faults === 0 ? '' : 'bad'}">${state} ${escape(CHECKS[check])}</li>`;
  });
  return `<h2>Checks</h2><ul class="checks">${rows.join('\n')}</ul>`;
}

function notes(operations: OperationReport[], { notes: lines, untested }: ContractReport): string {
  const gaps = untested.map(
    ({ operation, reason, succeeded }) => `${operation}: ${succeeded ? 'tested in part' : 'untested'}: ${reason}`,
  );
  const skipped = operations.flatMap((each) => each.skipped.map((why) => `${each.operation}: not sent: ${why}`));
  const all = [...gaps, ...lines, ...skipped];
  if (all.length === 0) return '';
  return `<h2>Notes</h2><ul class="notes">${all.map((note) => `<li>${escape(note)}</li>`).join('\n')}</ul>`;
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}
