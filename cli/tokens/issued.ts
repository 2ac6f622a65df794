import type { IssuedAccessToken } from '../../client/index.js';
import { note, printOnce } from '../output/print.js';
import { toJson, visible } from '../output/text.js';

export interface IssuingFlags {
  json?: boolean;
  quiet?: boolean;
}

/** Whether standard error is to stay empty. */
export function isQuiet({ json, quiet }: IssuingFlags): boolean {
  return json === true || quiet === true;
}

/**
 * The plaintext alone on standard output, so that a shell can catch it; what is `said` about it beside that. Rejects with
 * `WrongUse`, which says what is `lost`, where nobody gets to see the plaintext.
 */
export async function printIssued(
  issued: IssuedAccessToken,
  flags: IssuingFlags,
  { said, lost }: { said: string; lost: string },
): Promise<void> {
  const shown = flags.json === true ? toJson(issued) : visible(issued.plaintext);
  if (isQuiet(flags)) {
    await printOnce(shown, lost);
    return;
  }
  note(said);
  await printOnce(shown, lost);
  note('It is shown this once.');
}
