import { createCaseSender } from '../case-sender.js';
import type { Context } from '../context.js';
import type { Operation } from '../document/model.js';
import { dangerOf } from '../policy.js';

/** Sends one request that ought to succeed, so that every operation has had one before any has many. */
export async function runFirst(context: Context, operation: Operation): Promise<void> {
  const sender = await createCaseSender(context, operation, 'first');
  await sender?.send({ name: 'a good request' }, (base) => base);
  // What ends many things at once may have ended what later requests would name.
  if (dangerOf(operation, context.run.spec) === 'sweeps') context.fixtures.forget();
}
