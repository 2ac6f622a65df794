/** The scan could not run: a path that cannot be read, or options that cannot be meant. It says nothing about tokens. */
export class CouldNotScan extends Error {
  override name = 'CouldNotScan';
}

/** What one file expands to is more than is wanted; what it had expanded to until then has been searched. */
export class ExpandsTooFar extends Error {
  override name = 'ExpandsTooFar';
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
