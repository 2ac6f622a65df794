import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { type Json, sameJson } from '../document/json.js';
import { identify } from '../document/links.js';
import { isUnsafe, type Operation } from '../document/model.js';
import type { CaseInfo, Exchange } from '../exchange.js';
import type { Draft } from '../http/draft.js';
import { onceKeyOf } from '../keys.js';
import { dangerOf, isRemover } from '../policy.js';
import { membersToSend, withAnother } from '../variation.js';
import { listOf, listShapeOf, walk } from './walk.js';

const ONCE = { phase: 'sequences', expectation: 'any', keepsKey: true } as const;

/**
 * Sends a request twice with one `Idempotency-Key`, and then another request with the same key. The first must take
 * effect once, the second get the same answer, and the third be rejected.
 */
export async function runOnce(context: Context, operation: Operation): Promise<void> {
  const { run } = context;
  const first = await firstOf(context, operation);
  if (first === undefined) return;
  const { draft, listed } = first;
  const sent = await run.send(draft, { ...ONCE, name: 'a request with a new Idempotency-Key' });
  if (sent.answer === undefined || sent.answer.status >= 300) return;
  await run.send(
    draft,
    again('the same request with the same Idempotency-Key', sent, dangerOf(operation, run.spec) === 'ends-caller'),
  );
  const other = membersToSend(run, operation)
    .map((slot) => withAnother(run, draft, slot, undefined))
    .find((each) => each !== undefined && !sameJson(each.body, draft.body));
  if (other !== undefined) await run.send(other, rejected('another request with the same Idempotency-Key'));
  const rows = listed && (await idsOf(context, operation));
  const made = rows?.filter((id) => !listed?.includes(id)).length;
  if (made === undefined || made === 1) return;
  run.record.fail({ ...ONCE, name: 'list after requests with one Idempotency-Key' }, sent, {
    check: 'once',
    message: `requests with one Idempotency-Key create ${String(made)} things`,
    expected: 'one more thing in the list',
  });
}

/** The first request, and the ids that its list contains before; undefined if the request cannot be made. */
async function firstOf(
  context: Context,
  operation: Operation,
): Promise<{ draft: Draft; listed: string[] | undefined } | undefined> {
  const { run, fixtures, credentials } = context;
  const parameter = onceKeyOf(operation);
  const danger = dangerOf(operation, run.spec);
  if (parameter === undefined || !isUnsafe(operation) || danger === 'sweeps') return undefined;
  const key = run.keys.fresh(parameter);
  if (key === undefined || context.obstacle(operation) !== undefined) return undefined;
  const base = await fixtures.base(operation, { fresh: isRemover(operation), phase: 'sequences' });
  const draft = { ...base, header: { ...base.header, [parameter.name]: key } };
  if (danger === 'none') return { draft, listed: await idsOf(context, operation) };
  const own = await context.throwaway(operation, 'sequences');
  return own && { draft: credentials.attach(draft, own), listed: undefined };
}

function again(name: string, first: Exchange, mayEndCaller: boolean): CaseInfo {
  return {
    ...ONCE,
    name,
    check({ status, text }, value) {
      // The first request may have ended the credential of both.
      if (status === 401 && mayEndCaller) return [];
      if (status !== first.answer?.status)
        return [once(`a repeated request gets ${String(status)}`, String(first.answer?.status))];
      const isSame = value === undefined ? text === first.answer.text : sameJson(value, first.value);
      return isSame ? [] : [once('a repeated request gets another answer', 'the answer to the first')];
    },
  };
}

function rejected(name: string): CaseInfo {
  return {
    ...ONCE,
    name,
    // Few documents list the status for a key that was used with another body.
    outside: true,
    check: ({ status }) =>
      status >= 400
        ? []
        : [once(`a used Idempotency-Key with another body gets ${String(status)}`, 'a rejection (4xx)')],
  };
}

function once(message: string, expected: string): Finding {
  return { check: 'once', message, expected };
}

/** The ids in the list of what the operation creates; undefined if there is no list, or it has no end. */
async function idsOf(context: Context, creator: Operation): Promise<string[] | undefined> {
  const list = listOf(context, creator);
  // A list with a required filter need not contain the new thing.
  if (list && (listShapeOf(context.run.spec.answers, list)?.filters.length ?? 0) > 0) return undefined;
  const walked = list && (await walk(context, list, { phase: 'sequences' }));
  if (walked?.complete !== true) return undefined;
  const idOf = (row: Json) => JSON.stringify(identify(row, 'id') ?? row);
  return walked.pages.flatMap(({ rows }) => rows.map(idOf));
}
