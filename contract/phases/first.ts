import { createCaseSender } from '../case-sender.js';
import type { Context } from '../context.js';
import type { Operation } from '../document/model.js';
import { dangerOf } from '../policy.js';

/** Sends one valid request, so that every operation gets one before any operation gets many. */
export async function runFirst(context: Context, operation: Operation): Promise<void> {
  const sender = await createCaseSender(context, operation, 'first');
  await sender?.send({ name: 'a valid request' }, (base) => base);
  // An operation that sweeps may have deleted the things that later requests would use.
  if (dangerOf(operation, context.run.spec) === 'sweeps') context.fixtures.forget();
}
