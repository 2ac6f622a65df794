import type { IssuedAccessToken } from '../../client/index.js';
import { note, printOnce } from '../output/print.js';
import { toJson, visible } from '../output/text.js';

export interface IssuingFlags {
  json?: boolean;
  quiet?: boolean;
}

/** Whether to print nothing on standard error. */
export function isQuiet({ json, quiet }: IssuingFlags): boolean {
  return json === true || quiet === true;
}

/**
 * Prints only the plaintext on standard output, so that a shell can capture it, and `said` on standard error. Rejects with
 * `WrongUse` and the message `lost` if the plaintext could not be written.
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
  note('Store it now: it is not shown again.');
}
