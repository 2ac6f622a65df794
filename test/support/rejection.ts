import { LatchkeyError } from '../../client/index.js';

/** Resolves with the `LatchkeyError` that `call` rejects with. Rejects if `call` resolves or rejects with another error. */
export async function rejectionOf(call: Promise<unknown>): Promise<LatchkeyError> {
  const error = await call.then(
    () => new Error('the call did not reject'),
    (reason: unknown) => reason,
  );
  if (error instanceof LatchkeyError) return error;
  throw error;
}
