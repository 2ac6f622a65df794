import type { Context } from '../context.js';
import { CouldNotRun } from '../errors.js';
import { emptyDraft } from '../http/draft.js';
import { dangerOf, isRemover } from '../policy.js';
import { originOf } from '../spec/links.js';
import type { Operation } from '../spec/model.js';
import { runCoverage } from './coverage.js';
import { runExamples } from './examples.js';
import { createDying, expectExpired } from './expiry.js';
import { runFuzz } from './fuzz.js';
import { runLists } from './lists.js';
import { runMethods } from './methods.js';
import { runOnce } from './once.js';
import { runPreconditions } from './preconditions.js';
import { runSecurity } from './security.js';
import { runLife } from './sequences.js';
import { runSessions } from './sessions.js';

/** Every kind of case, in an order in which none spoils another: what may sweep everything away comes last. */
export async function runPhases(context: Context): Promise<void> {
  const { run } = context;
  await expectAnswer(context);
  const calm = run.operations.filter((operation) => dangerOf(operation, run.spec) !== 'sweeps');
  const sweeping = run.operations.filter((operation) => dangerOf(operation, run.spec) === 'sweeps');

  for (const creator of run.spec.operations.filter(({ method }) => method === 'POST')) {
    if (makesSomething(context, creator)) await step(context, 'sequences', creator.id, () => runLife(context, creator));
  }
  await step(context, 'sequences', undefined, () => runSessions(context));
  for (const operation of calm) {
    await step(context, 'sequences', operation.id, () => runOnce(context, operation));
    await step(context, 'sequences', operation.id, () => runPreconditions(context, operation));
  }
  run.record.begin(undefined);
  const dying = await createDying(context);
  for (const operation of calm) await step(context, 'lists', operation.id, () => runLists(context, operation));
  for (const operation of calm) await step(context, 'examples', operation.id, () => runExamples(context, operation));
  for (const operation of calm) await step(context, 'coverage', operation.id, () => runCoverage(context, operation));
  for (const operation of calm) await step(context, 'security', operation.id, () => runSecurity(context, operation));
  for (const path of new Set(run.operations.map((operation) => operation.path))) {
    const some = run.operations.find((operation) => operation.path === path);
    await step(context, 'methods', some?.id, () => runMethods(context, path));
  }
  for (const operation of calm) await step(context, 'fuzz', operation.id, () => runFuzz(context, operation));
  run.record.begin(undefined);
  await expectExpired(context, dying);
  await tidyUp(context);
  for (const operation of sweeping) {
    for (const phase of [runExamples, runCoverage, runSecurity]) {
      await step(context, operation.id, operation.id, () => phase(context, operation));
      context.fixtures.forget();
    }
  }
}

/**
 * Runs a part while there is time, and ends the run where it has cost the run its credential. A run with `only` has this
 * part as well; the whole run alone has it where that is undefined.
 */
async function step(
  context: Context,
  what: string,
  only: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (context.run.outOfTime() || !(await context.stillAlive(what))) return;
  context.run.record.begin(only);
  await work();
  await context.stillAlive(what);
}

function makesSomething({ run }: Context, creator: Operation): boolean {
  return run.spec.operations.some((operation) => originOf(run.spec, operation)?.creator === creator);
}

async function expectAnswer({ run }: Context): Promise<void> {
  const [first] = run.spec.operations;
  if (first === undefined) return;
  const model = run.spec.operations.find(({ method, path }) => method === 'GET' && !path.includes('{')) ?? first;
  const { answer, findings } = await run.attempt(
    { ...emptyDraft(model), method: 'GET', rawPath: model.path.includes('{') ? '/' : model.path },
    { phase: 'setup', name: 'is anybody there', outside: true, expectation: 'any' },
  );
  if (answer === undefined) throw new CouldNotRun(`${run.base.href} does not answer: ${findings[0]?.message ?? ''}`);
}

/** Ends what the run has created and not ended itself, as far as the spec has a way; refusals do not matter. */
async function tidyUp({ run, fixtures }: Context): Promise<void> {
  for (const resource of fixtures.made) {
    const remover = run.spec.operations.find(
      (operation) => isRemover(operation) && originOf(run.spec, operation)?.creator === resource.creator,
    );
    const draft = remover && !run.outOfTime() ? await fixtures.on(remover, resource) : undefined;
    if (draft === undefined) continue;
    await run.attempt(draft, { phase: 'setup', name: 'tidy up', expectation: 'any' });
  }
  fixtures.forget();
}
