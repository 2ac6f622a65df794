import type { IssuedAccessToken } from '../../client/index.js';
import { note, print } from '../output/print.js';
import { toJson } from '../output/text.js';

export interface IssuingFlags {
  json?: boolean;
  quiet?: boolean;
}

/** The plaintext alone on standard output, so that a shell can catch it; what there is to say about it beside that. */
export function printIssued(issued: IssuedAccessToken, { json, quiet }: IssuingFlags, said: string): void {
  const quietly = json === true || quiet === true;
  if (!quietly) note(said);
  print(json === true ? toJson(issued) : issued.plaintext);
  if (!quietly) note('It is shown this once.');
}
