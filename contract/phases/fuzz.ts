import * as fc from 'fast-check';
import { type CaseSender, createCaseSender } from '../case-sender.js';
import { anyJson, valuesOf } from '../cases/arbitrary.js';
import { boundariesOf } from '../cases/boundaries.js';
import { slotsOf, valueAt, withValue } from '../cases/slots.js';
import { unlikelyIds } from '../cases/unlikely-ids.js';
import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject } from '../document/json.js';
import { isUnsafe, type Operation } from '../document/model.js';
import { isIfMatchName, isOnceKeyName, isProtectionName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import { OutOfTime } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Draft } from '../http/draft.js';
import { dangerOf } from '../policy.js';
import { createSmallPage } from './small-page.js';

/** The values of a random request that replace those of the valid one. */
interface Mutation {
  parameters: Record<string, Json | undefined>;
  body: Json | undefined;
}

/** Most faults that fuzzing looks for at one operation; each takes a series of requests to shrink. */
const MOST_FAULTS = 5;

/** Random requests of an operation in its first round; the second round has the rest. */
const FIRST_ROUND = 12;
/** Random requests of one operation for each value that they vary, at most, and of all operations together. */
const RUNS_PER_VALUE = 4;
const MOST_RUNS = 60;
const ALL_RUNS = 900;

/** An operation that gets random requests. */
interface Target {
  sender: CaseSender;
  mutations: fc.Arbitrary<Mutation>;
  smaller: (draft: Draft) => Draft;
}

/**
 * Creates a function that sends random requests, valid and invalid, in two rounds. A request that shows a fault is
 * shrunk to the smallest one with the same fault. The function resolves with false after the first round.
 */
export function createFuzz(): (context: Context, operation: Operation) => Promise<boolean> {
  const begun = new Map<string, Target>();
  return async (context, operation) => {
    const { run } = context;
    const numRuns = run.options.fuzzRuns ?? runsFor(run.spec.requests, operation, run.operations.length);
    const known = begun.get(operation.id);
    if (known !== undefined) {
      await fuzz(context, known, run.seed + MOST_FAULTS, numRuns - FIRST_ROUND);
      return true;
    }
    // An operation that may end a credential gets no random requests: each would need a new credential.
    const sender =
      dangerOf(operation, run.spec) === 'none' ? await createCaseSender(context, operation, 'fuzz') : undefined;
    const mutations = sender && mutationsFor(context, operation, sender.full);
    if (!sender || !mutations) return true;
    const target = { sender, mutations, smaller: createSmallPage(run, operation) };
    begun.set(operation.id, target);
    await fuzz(context, target, run.seed, Math.min(FIRST_ROUND, numRuns));
    return numRuns <= FIRST_ROUND;
  };
}

/** The number of random requests: fewer for an operation with few values to vary, and in a large document. */
function runsFor(document: JsonObject, { parameters, body }: Operation, operations: number): number {
  const values = parameters.length + slotsOf(document, body?.schema).length;
  return Math.min(
    MOST_RUNS,
    FIRST_ROUND + RUNS_PER_VALUE * values,
    Math.max(FIRST_ROUND, Math.round(ALL_RUNS / operations)),
  );
}

async function fuzz(
  { run }: Context,
  { sender, mutations, smaller }: Target,
  seed: number,
  numRuns: number,
): Promise<void> {
  const { operation } = sender.base;
  for (let fault = 0; fault < MOST_FAULTS; fault++) {
    let wanted: Finding | undefined;
    let smallest: Exchange | undefined;
    const property = fc.asyncProperty(mutations, async (mutation) => {
      if (run.outOfTime()) return true;
      // The end of the run's time is not a fault to shrink.
      const exchange = await sender
        .send({ name: 'a random request' }, (base) => apply(smaller(base), mutation), 'attempt')
        .catch((error: unknown) => {
          if (error instanceof OutOfTime) return undefined;
          throw error;
        });
      const found = exchange?.findings.find((finding) =>
        wanted ? isSame(finding, wanted) : !run.record.isKnown(operation, finding),
      );
      if (exchange === undefined || found === undefined) return true;
      wanted = found;
      smallest = { ...exchange, findings: [found] };
      return false;
    });
    await fc.check(property, { seed: seed + fault, numRuns, endOnFailure: false });
    if (smallest !== undefined) run.record.add({ phase: 'fuzz', name: 'a random request' }, smallest);
    if (run.outOfTime()) throw new OutOfTime();
    if (smallest === undefined) return;
  }
}

function isSame(a: Finding, b: Finding): boolean {
  return a.check === b.check && a.message === b.message;
}

function apply(base: Draft, { parameters, body }: Mutation): Draft {
  const draft: Draft = {
    ...base,
    query: { ...base.query },
    path: { ...base.path },
    header: { ...base.header },
    cookie: { ...base.cookie },
  };
  for (const parameter of base.operation.parameters) {
    const value = parameters[`${parameter.in} ${parameter.name}`];
    if (value !== undefined) draft[parameter.in][parameter.name] = value;
  }
  return body === undefined ? draft : { ...draft, body };
}

/** Undefined if the operation has neither parameters nor a body that can be generated. */
function mutationsFor({ run }: Context, operation: Operation, full: Draft): fc.Arbitrary<Mutation> | undefined {
  const document = run.spec.requests;
  const parameters: Record<string, fc.Arbitrary<Json | undefined>> = {};
  for (const { in: place, name, schema } of operation.parameters) {
    if (isProtectionName(name)) continue;
    const valid = valuesOf(document, schema, name).map((value) => (value === null || value === '' ? 'a' : value));
    const key = `${place} ${name}`;
    if (place === 'path') {
      if (isUnsafe(operation)) parameters[key] = optional(unlikelyIds(flatten(document, schema).format));
      else parameters[key] = optional(valid);
    } else {
      const edges = boundariesOf(document, schema, name, full[place][name] ?? 'a').map(({ value }) => value);
      const texts = edges.filter(
        (value) => typeof value !== 'object' && !(typeof value === 'string' && value.length > 500),
      );
      const boundary = fc.constantFrom(...texts, 'a');
      // Most random entity tags do not match, and the answers to short keys are not checked.
      const usual = place === 'header' ? usualHeader(name) : undefined;
      parameters[key] = optional(
        usual === undefined
          ? fc.oneof(valid, boundary)
          : fc.oneof(
              { weight: 3, arbitrary: usual },
              { weight: 1, arbitrary: valid },
              { weight: 1, arbitrary: boundary },
            ),
      );
    }
  }
  const isMade = operation.body?.kind === 'json' || operation.body?.kind === 'form';
  const body = isMade && full.body !== undefined ? bodies(document, operation, full.body) : undefined;
  if (Object.keys(parameters).length === 0 && body === undefined) return undefined;
  return fc.record({
    parameters: fc.record(parameters, { noNullPrototype: true }),
    body: body ?? fc.constant(undefined),
  });
}

/** Values with which a conditional or idempotent request succeeds. */
function usualHeader(name: string): fc.Arbitrary<Json> | undefined {
  if (isIfMatchName(name)) return fc.constant('*');
  return isOnceKeyName(name) ? fc.uuid() : undefined;
}

/** Also leaves the value out, which shrinking tries first. */
function optional(values: fc.Arbitrary<Json>): fc.Arbitrary<Json | undefined> {
  return fc.option(values, { nil: undefined, freq: 2 });
}

/** Bodies that fit the schema, and bodies with another value in one place. */
function bodies(document: JsonObject, { body }: Operation, full: Json): fc.Arbitrary<Json> {
  const valid = valuesOf(document, body?.schema);
  const slots = slotsOf(document, body?.schema);
  const edges = slots.flatMap((slot) =>
    boundariesOf(document, slot.schema, String(slot.path.at(-1)), valueAt(full, slot.path) ?? 'a')
      .filter(({ value }) => JSON.stringify(value).length < 5_000)
      .map(({ value }) => ({ slot, value })),
  );
  if (slots.length === 0 || edges.length === 0) return fc.oneof(valid, anyJson());
  const boundary = fc
    .tuple(valid, fc.constantFrom(...edges))
    .map(([value, { slot, value: edge }]) => withValue(value, slot.path, edge) ?? value);
  const replaced = fc
    .tuple(valid, fc.constantFrom(...slots), anyJson())
    .map(([value, slot, other]) => withValue(value, slot.path, other) ?? value);
  const more = fc
    .tuple(valid, fc.string({ minLength: 1, maxLength: 8 }), anyJson())
    .map(([value, name, other]) => (isObject(value) ? { ...value, [name]: other } : value));
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: valid },
    { weight: 3, arbitrary: boundary },
    replaced,
    more,
  );
}
