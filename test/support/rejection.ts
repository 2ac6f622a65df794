import { LatchkeyError } from '../../client/index.js';

/** The `LatchkeyError` that `call` rejects with; fails where it rejects with anything else, or not at all. */
export async function rejectionOf(call: Promise<unknown>): Promise<LatchkeyError> {
  const error = await call.then(
    () => new Error('the call did not reject'),
    (reason: unknown) => reason,
  );
  if (error instanceof LatchkeyError) return error;
  throw error;
}
