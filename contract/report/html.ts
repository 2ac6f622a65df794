import type { ContractReport } from './types.js';
export function toHtml(report: ContractReport): string {
  return String(report.held);
}
