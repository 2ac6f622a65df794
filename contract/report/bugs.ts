import type { ContractFinding } from './types.js';

/** A finding that follows from no other, together with the findings that follow from it. */
export interface Bug {
  finding: ContractFinding;
  consequences: ContractFinding[];
}

/** Groups `findings` into bugs, in their order. Findings of `others` appear only as consequences. */
export function bugsOf(findings: ContractFinding[], others: ContractFinding[] = []): Bug[] {
  const all = [...findings, ...others];
  return findings
    .filter(({ follows }) => follows === undefined)
    .map((finding) => ({ finding, consequences: all.filter(({ follows }) => follows === finding.id) }));
}

/** How `toSummary`, `toHtml` and `toJUnit` write a report. */
export interface ToldOptions {
  /**
   * The command that made the report, such as `latchkey contract --url http://127.0.0.1:3000`. Each `again` line starts
   * with it.
   */
  command?: string;
}

/** A shell command that reproduces a finding: `command`, if it is given, with `--seed` and `--only`. */
export function againOf({ seed, only }: Pick<ContractFinding, 'seed' | 'only'>, { command }: ToldOptions = {}): string {
  return `${command === undefined ? '' : `${command} `}--seed ${String(seed)}${only === undefined ? '' : ` --only ${quote(only)}`}`;
}

function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
