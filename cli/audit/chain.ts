import type { ChainReport } from '../../server/index.js';
import { Rejected } from '../failure.js';
import { print } from '../output/print.js';
import { readSettings } from '../settings.js';

export interface ChainFlags {
  database?: string;
  auditKeyFile?: string;
  anchor?: { seq: number; hash: string }[];
  keyedFrom?: number;
  json?: boolean;
}

export async function verify(flags: ChainFlags): Promise<void> {
  const report = await reportOf(flags);
  if (flags.json === true) print(JSON.stringify({ whole: report.fault === null, ...report }, null, 2));
  else print(describe(report));
  process.exitCode = report.fault === null ? 0 : 1;
}

export async function printAnchor(flags: ChainFlags): Promise<void> {
  const { head, fault } = await reportOf(flags);
  if (fault !== null) throw new Rejected(`event ${String(fault.seq)}: ${fault.what}`);
  if (head === null) throw new Rejected('the audit log has no linked event yet');
  print(flags.json === true ? JSON.stringify(head) : `${String(head.seq)}:${head.hash}`);
}

async function reportOf({ database, auditKeyFile, anchor, keyedFrom }: ChainFlags): Promise<ChainReport> {
  const { verifyAuditLog } = await import('../../server/index.js');
  return await verifyAuditLog(await readSettings({ database, auditKeyFile }), anchor, keyedFrom);
}

function describe({ events, pruned, unlinked, withoutKey, deletedAnchors, head, fault }: ChainReport): string {
  const lines = [
    fault === null
      ? `the chain of ${String(events)} events is whole`
      : `fault at event ${String(fault.seq)}: ${fault.what}`,
  ];
  if (fault === null && head !== null) lines.push(`it ends at ${String(head.seq)}:${head.hash}`);
  if (pruned > 0) lines.push(`the first ${String(pruned)} events were deleted because of their age`);
  if (deletedAnchors > 0) lines.push(`${String(deletedAnchors)} anchors are of deleted events, and were not compared`);
  if (unlinked > 0) lines.push(`${String(unlinked)} newer events are not linked yet`);
  if (withoutKey > 0) lines.push(`the first ${String(withoutKey)} events are from before the chain had a key`);
  return lines.join('\n');
}
