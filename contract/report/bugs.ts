import type { ContractFinding } from './types.js';

/** A finding of its own, and those that follow from it. */
export interface Bug {
  finding: ContractFinding;
  consequences: ContractFinding[];
}

/** Findings of a report by what they follow from, in its order; `others` are those of another list that may follow. */
export function bugsOf(findings: ContractFinding[], others: ContractFinding[] = []): Bug[] {
  const all = [...findings, ...others];
  return findings
    .filter(({ follows }) => follows === undefined)
    .map((finding) => ({ finding, consequences: all.filter(({ follows }) => follows === finding.id) }));
}

/** The flags that show a finding again, besides those of the run, ready for a shell. */
export function againOf({ seed, only }: ContractFinding): string {
  return `--seed ${String(seed)}${only === undefined ? '' : ` --only ${quote(only)}`}`;
}

function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
