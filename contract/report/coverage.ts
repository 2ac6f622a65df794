import type { OperationReport } from './types.js';

/** How often an operation answered with a status, or why it never did. */
export interface StatusCoverage {
  /** A status as the document writes it (`200`, `4XX`, `default`), or an undocumented status that the server sent. */
  status: string;
  times: number;
  state: 'seen' | 'not seen' | 'cannot be provoked' | 'not documented';
}

/** Statuses that no test request can cause: server errors, rate limits, payments, legal orders. */
const UNPROVOKED = /^(1..|402|425|429|451|5..|default)$/i;

/** The statuses of an operation, documented ones first. 405 is never undocumented: it answers undeclared methods. */
export function coverageOf({ documented, seen }: OperationReport): StatusCoverage[] {
  const exact = new Set(documented.filter((status) => /^\d+$/.test(status)));
  const rest = new Map(Object.entries(seen).filter(([status]) => !exact.has(status)));
  const take = (isIts: (status: string) => boolean) => {
    const own = [...rest].filter(([status]) => isIts(status));
    for (const [status] of own) rest.delete(status);
    return own.reduce((sum, [, times]) => sum + times, 0);
  };
  // A class such as `4XX` counts answers without an exact status; `default` counts answers without a class.
  const times = new Map<string, number>();
  for (const status of documented.filter((each) => exact.has(each))) times.set(status, seen[status] ?? 0);
  for (const status of documented.filter((each) => /^\dXX$/i.test(each)))
    times.set(
      status,
      take((each) => each[0] === status[0]),
    );
  if (documented.includes('default'))
    times.set(
      'default',
      take((each) => each !== '405'),
    );
  const known = documented.map((status): StatusCoverage => {
    const count = times.get(status) ?? 0;
    const state = count > 0 ? 'seen' : UNPROVOKED.test(status) ? 'cannot be provoked' : 'not seen';
    return { status, times: count, state };
  });
  const others = [...rest].map(
    ([status, count]): StatusCoverage => ({
      status,
      times: count,
      state: status === '405' ? 'seen' : 'not documented',
    }),
  );
  return [...known, ...others];
}
