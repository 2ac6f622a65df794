import type { Operation } from '../document/model.js';
import type { Draft } from '../http/draft.js';
import type { Run } from '../run.js';
import { listShapeOf } from './walk.js';

/** Rows of a page in tests that are not about the rows. */
const ROWS = 2;

/**
 * Creates a function that asks for a small page where a request of the operation leaves the size of the page open.
 * Lists grow during a run, and each large page would make the tests of other parameters slower.
 */
export function createSmallPage(run: Run, operation: Operation): (draft: Draft) => Draft {
  const { name, schema } = listShapeOf(run.spec.answers, operation)?.limit ?? {};
  if (name === undefined) return (draft) => draft;
  const rows = Math.max(ROWS, schema?.minimum ?? 0);
  return (draft) => {
    const smaller: Draft = { ...draft, query: { [name]: rows, ...draft.query } };
    return run.judgeRequest(smaller).kind === run.judgeRequest(draft).kind ? smaller : draft;
  };
}
