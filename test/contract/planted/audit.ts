import { type Call, type Reply } from './call.js';
import { type Has, integer, Refusal } from './check.js';

const EVENTS = Array.from({ length: 7 }, (_, index) => ({ id: index + 1, action: `event ${String(index + 1)}` }));

export function listAudit({ query }: Call, has: Has): Reply {
  const page = integer(query.get('page') ?? '1', 1, 1000, 'page');
  const size = integer(query.get('page_size') ?? '20', 1, 20, 'page_size');
  const ordering = query.get('ordering') ?? 'id';
  if (ordering !== 'id' && ordering !== '-id') throw new Refusal(422, 'ordering must be id or -id.');
  const events = ordering === '-id' && !has('ordering is ignored') ? EVENTS.toReversed() : EVENTS;
  const start = Math.max(0, (page - 1) * size - (has('numbered pages overlap') ? page - 1 : 0));
  const results = events.slice(start, start + size);
  const isMore = start + size < events.length;
  const next = isMore ? `/audit?page=${String(page + 1)}&page_size=${String(size)}&ordering=${ordering}` : null;
  return { status: 200, body: { count: has('count counts the page') ? results.length : events.length, next, results } };
}
