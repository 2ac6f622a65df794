import type { Call, Reply } from './call.js';
import { type Has, Refusal } from './check.js';
import type { Store } from './store.js';

const answers = new WeakMap<Store, Map<string, { call: Call; reply: Reply }>>();

/** Does what was asked, or repeats the answer where this caller has asked the same with the same key before. */
export function once(call: Call, store: Store, has: Has, work: () => Reply): Reply {
  const key = call.headers['idempotency-key'];
  if (key === undefined) return work();
  const longest = has('the longest Idempotency-Key is refused') ? 63 : 64;
  const isKey = typeof key === 'string' && (/^[!-~]+$/.test(key) || has('an Idempotency-Key with a space is accepted'));
  if (!isKey || key === '' || key.length > longest)
    throw new Refusal(422, 'Idempotency-Key must be 1 to 64 visible characters.');
  const known = answers.get(store) ?? new Map<string, { call: Call; reply: Reply }>();
  answers.set(store, known);
  const place = `${call.token} ${key}`;
  const before = known.get(place);
  if (before === undefined) {
    const reply = work();
    known.set(place, { call, reply });
    return reply;
  }
  const { reply } = before;
  if (before.call.body !== call.body || before.call.path !== call.path) {
    if (has('an Idempotency-Key serves for another key')) return work();
    throw new Refusal(422, 'This Idempotency-Key was sent with another request.');
  }
  if (has('a repeated request makes another key')) return work();
  if (has('a repeated request makes a key that nobody is told of')) work();
  return has('a repeated request is answered with 200') ? { ...reply, status: 200 } : reply;
}
