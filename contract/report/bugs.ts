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

/** How a report is told. */
export interface ToldOptions {
  /** The command that made the report, such as `latchkey contract --url http://127.0.0.1:3000`, for the lines `again`. */
  command?: string;
}

/** What shows a finding again, ready for a shell: the command, if it is known, and the flags that narrow it. */
export function againOf({ seed, only }: Pick<ContractFinding, 'seed' | 'only'>, { command }: ToldOptions = {}): string {
  return `${command === undefined ? '' : `${command} `}--seed ${String(seed)}${only === undefined ? '' : ` --only ${quote(only)}`}`;
}

function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
