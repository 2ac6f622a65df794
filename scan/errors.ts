/** The scan could not run, because no path can be read or an option is invalid. Whether there are tokens is unknown. */
export class CouldNotScan extends Error {
  override name = 'CouldNotScan';
}

/** A file expands to more bytes than allowed. It was searched up to that limit. */
export class ExpandsTooFar extends Error {
  override name = 'ExpandsTooFar';
}

/** Message of a thrown value of any type. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
