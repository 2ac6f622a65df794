import type { OperationReport } from './types.js';

/** How often a status was seen of an operation, or why it was not. */
export interface StatusCoverage {
  /** As the document writes it: `200`, `4XX`, `default`; or a status that it does not have. */
  status: string;
  times: number;
  state: 'seen' | 'not seen' | 'cannot be provoked' | 'not documented';
}

/** Statuses that a run has no means to bring about: faults of the server, floods, payments, legal orders. */
const UNPROVOKED = /^(1..|402|425|429|451|5..|default)$/i;

/** The statuses of an operation, the documented ones first; 405 answers methods that are in no document. */
export function coverageOf({ documented, seen }: OperationReport): StatusCoverage[] {
  const exact = new Set(documented.filter((status) => /^\d+$/.test(status)));
  const rest = new Map(Object.entries(seen).filter(([status]) => !exact.has(status)));
  const take = (isIts: (status: string) => boolean) => {
    const own = [...rest].filter(([status]) => isIts(status));
    for (const [status] of own) rest.delete(status);
    return own.reduce((sum, [, times]) => sum + times, 0);
  };
  // A class takes what no exact status has, and the default what no class has.
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
