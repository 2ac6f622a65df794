import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../../announce.js';
import { Choices } from '../../parts/choices.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { lk } from '../../service.js';
import * as texts from '../../words/audit.js';

/** Events that one request exports. */
const PART = 5_000;

type Format = keyof typeof texts.formats;
const FORMATS = Object.entries(texts.formats) as [Format, string][];

/** Saves all events of the organization as a file. */
export function ExportEvents({ onClose }: { onClose: () => void }) {
  const [format, setFormat] = useState<Format>('latchkey');
  const [done, setDone] = useState<number | undefined>(undefined);
  const leaving = useRef(new AbortController());
  useEffect(
    () => () => {
      leaving.current.abort();
    },
    [],
  );
  const download = async (): Promise<void> => {
    const { signal } = leaving.current;
    const parts: string[] = [];
    let [after, count] = [0, 0];
    for (;;) {
      setDone(count);
      const text = await lk.exportAuditEvents({ query: { after, limit: PART, format }, signal });
      const lines = text.trimEnd().split('\n');
      const last = lines.at(-1) ?? '';
      if (last === '') break;
      parts.push(text);
      count += lines.length;
      after = placeOf(last);
      if (lines.length < PART) break;
    }
    save(parts, `latchkey-events-${new Date().toISOString().slice(0, 10)}.jsonl`);
    announce(texts.downloaded(count));
  };
  return (
    <FormDialog title={texts.exportTitle} submit={texts.download} onClose={onClose} onSubmit={download}>
      <p>{texts.exportWhy}</p>
      <Choices legend={texts.format} options={FORMATS} value={format} change={setFormat} />
      {done !== undefined && (
        <p class="quiet" role="status">
          {texts.downloading(done)}
        </p>
      )}
    </FormDialog>
  );
}

/** The place in the chain of the event in a line, in either format. */
function placeOf(line: string): number {
  const event = JSON.parse(line) as { seq?: number; metadata?: { sequence: number } };
  return event.seq ?? event.metadata?.sequence ?? Number.NaN;
}

function save(parts: readonly string[], name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([...parts], { type: 'application/jsonl' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
