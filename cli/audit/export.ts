import { type RemoteFlags, withConnection } from '../account/connection.js';

export interface ExportFlags extends RemoteFlags {
  after?: number;
}

/** Events in one request. */
const PAGE = 1_000;

export async function exportEvents(flags: ExportFlags): Promise<void> {
  await withConnection(flags, async ({ client }) => {
    for (let after: number | undefined = flags.after ?? 0; after !== undefined; ) {
      const text: string = await client.exportAuditEvents({ query: { after, limit: PAGE } });
      process.stdout.write(text);
      after = lastSeq(text);
    }
  });
}

/** The `seq` of the last line; undefined if there is none. */
function lastSeq(text: string): number | undefined {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return line === '' ? undefined : (JSON.parse(line) as { seq: number }).seq;
}
