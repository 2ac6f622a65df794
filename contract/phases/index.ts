import type { Context } from '../context.js';
import { originOf } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { CouldNotRun, OutOfTime } from '../errors.js';
import type { Resource } from '../fixtures.js';
import { emptyDraft } from '../http/draft.js';
import { fillTemplate } from '../http/template.js';
import { runLaws } from '../laws/runs.js';
import { dangerOf, isDeleter } from '../policy.js';
import type { Phase } from '../report/types.js';
import { runBulk } from './bulk.js';
import { runConcurrent } from './concurrent.js';
import { createCoverage } from './coverage.js';
import { runDefaults } from './defaults.js';
import { runEcho } from './echo.js';
import { runExamples } from './examples.js';
import { createExpiring, expectExpired } from './expiry.js';
import { runFirst } from './first.js';
import { createFuzz } from './fuzz.js';
import { runHeads } from './heads.js';
import { runIsolation } from './isolation.js';
import { runLifecycle } from './lifecycle.js';
import { runLists } from './lists.js';
import { runMethods } from './methods.js';
import { runOnce } from './once.js';
import { runPreconditions } from './preconditions.js';
import { runScopes } from './scopes.js';
import { runSecurity } from './security.js';
import { runSessions } from './sessions.js';
import { runVariants } from './variants.js';

/** A part of the run. Its operations count as tested only when all their parts are done. */
interface Part {
  phase: Phase;
  operations: Operation[];
  /** Resolves with false if more remains to be done. It is then called again after the other parts of its group. */
  work: () => Promise<unknown>;
}

/**
 * Runs all phases, in an order in which none disturbs another: one valid request for each operation, tests across
 * several operations, boundary cases in rounds, random requests. Operations that may end many things come last.
 */
export async function runPhases(context: Context): Promise<void> {
  const { run } = context;
  const dangers = new Map(run.operations.map((operation) => [operation, dangerOf(operation, run.spec)]));
  const calm = run.operations.filter((operation) => dangers.get(operation) !== 'sweeps');
  const sweeping = run.operations.filter((operation) => dangers.get(operation) === 'sweeps');
  const each = (
    phase: Phase,
    operations: Operation[],
    work: (context: Context, operation: Operation) => Promise<unknown>,
  ) => operations.map((one): Part => ({ phase, operations: [one], work: () => work(context, one) }));
  let expiring: Awaited<ReturnType<typeof createExpiring>> = [];
  const creators = run.spec.operations.filter(({ method }) => method === 'POST');
  const paths = [...new Set(run.operations.map(({ path }) => path))];
  const cover = createCoverage();
  const fuzz = createFuzz();

  const groups: Part[][] = [
    each('first', [...calm, ...sweeping], runFirst),
    [
      ...each(
        'sequences',
        creators.filter((creator) => makesSomething(context, creator)),
        runLifecycle,
      ),
      { phase: 'sequences', operations: [], work: () => runSessions(context) },
      ...each('sequences', calm, runEcho),
      ...calm.flatMap((operation) => [
        ...each('sequences', [operation], runOnce),
        ...each('sequences', [operation], runPreconditions),
        ...each('sequences', [operation], runConcurrent),
      ]),
      ...each('sequences', run.operations, runBulk),
      { phase: 'sequences', operations: [], work: () => runLaws(context) },
      {
        phase: 'sequences',
        operations: [],
        work: async () => {
          expiring = await createExpiring(context);
        },
      },
    ],
    each('lists', calm, runLists),
    each('lists', calm, runDefaults),
    [
      { phase: 'security', operations: [], work: () => runIsolation(context) },
      { phase: 'security', operations: [], work: () => runScopes(context) },
    ],
    each('examples', calm, runExamples),
    each('security', calm, runSecurity),
    each('security', calm, runVariants),
    paths.map(
      (path): Part => ({
        phase: 'methods',
        operations: run.operations.filter((operation) => operation.path === path),
        work: async () => {
          await runMethods(context, path);
          await runHeads(context, path);
        },
      }),
    ),
    each('coverage', calm, cover),
    each('fuzz', calm, fuzz),
    [
      { phase: 'sequences', operations: [], work: () => expectExpired(context, expiring) },
      { phase: 'setup', operations: [], work: () => tidyUp(context) },
    ],
    ...sweeping.map((operation) =>
      [
        ...each('examples', [operation], runExamples),
        ...each('coverage', [operation], cover),
        ...each('security', [operation], runSecurity),
      ].map((part): Part => ({ ...part, work: () => part.work().finally(context.fixtures.forget) })),
    ),
  ];
  for (const part of groups.flat()) for (const operation of part.operations) run.record.extent.plan(operation, part);
  await expectAnswer(context);
  if (await lacksBasePath(context)) return;
  for (const [index, parts] of groups.entries()) {
    if (!(await runInRounds(context, parts))) return;
    if (index === 0) expectOpen(context);
  }
}

/** Throws `CouldNotRun` if a document has no GET that tells whether the credential is valid, and every operation has rejected it. */
function expectOpen({ credentials: { main, probeWith }, vigil }: Context): void {
  const rejections = vigil.rejections();
  if (main === undefined || probeWith(main) !== undefined || rejections === undefined) return;
  throw new CouldNotRun(`the server rejects the credential: ${rejections}`);
}

/**
 * Runs parts in rounds: each once, then those again that have more to do, until all are done. Resolves with false if
 * the run's credential is no longer valid, or the server does not answer.
 */
async function runInRounds(context: Context, parts: Part[]): Promise<boolean> {
  let waiting = parts;
  while (waiting.length > 0) {
    const unfinished: Part[] = [];
    for (const part of waiting) {
      const { phase, operations, work } = part;
      if (context.run.outOfTime()) throw new OutOfTime();
      // The option `only` reproduces a part of one operation; other parts need a whole run.
      context.run.record.begin(operations[0]?.id);
      context.vigil.begin(operations.length === 1 ? `${phase} of ${operations[0]?.id ?? ''}` : phase);
      const isDone = (await work()) !== false;
      if (isDone) for (const operation of operations) context.run.record.extent.finished(operation, part);
      else unfinished.push(part);
      if (!(await context.vigil.check(false))) return false;
    }
    waiting = unfinished;
  }
  return await context.vigil.check(true);
}

function makesSomething({ run }: Context, creator: Operation): boolean {
  return run.spec.operations.some((operation) => originOf(run.spec, operation)?.creator === creator);
}

/** Rejects with `CouldNotRun` unless the server answers one of up to three requests. */
async function expectAnswer({ run }: Context): Promise<void> {
  const easy = run.spec.operations.filter(
    ({ id, method, path }) => method === 'GET' && !path.includes('{') && !run.spec.broken.has(id),
  );
  const models = easy.length > 0 ? easy : run.spec.operations.slice(0, 1);
  let why = '';
  for (const model of models.slice(0, 3)) {
    const { answer, findings } = await run.attempt(
      { ...emptyDraft(model), method: 'GET', rawPath: model.path.includes('{') ? '/' : fillTemplate(model.path, '') },
      { phase: 'setup', name: 'whether the server answers', outside: true, expectation: 'any' },
    );
    if (answer !== undefined) return;
    why = findings[0]?.message ?? '';
  }
  throw new CouldNotRun(`${run.base.href} does not answer: ${why}`);
}

/**
 * Stops the run if its URL lacks the base path of the document's servers, and the server answers only below that path.
 */
async function lacksBasePath({ run }: Context): Promise<boolean> {
  const prefix = run.base.pathname.replace(/\/$/, '');
  const [path] = run.spec.basePaths;
  if (path === undefined || run.spec.basePaths.some((each) => prefix.endsWith(each))) return false;
  const easy = run.spec.operations.filter((each) => each.method === 'GET' && !each.path.includes('{'));
  for (const model of easy.slice(0, 3)) {
    const ask = (before: string) =>
      run.attempt(
        { ...emptyDraft(model), rawPath: `${before}${fillTemplate(model.path, '')}` },
        { phase: 'setup', name: 'whether the URL lacks the base path', outside: true, expectation: 'any' },
      );
    const [here, there] = [await ask(''), await ask(path)];
    if (here.answer?.status !== 404 || there.answer === undefined || there.answer.status === 404) continue;
    const address = `${run.base.origin}${prefix}${path}`;
    run.record.stop(`the document has the base path ${path}, which the URL lacks; use ${address}`);
    return true;
  }
  return false;
}

/** Things that are deleted at once at the end of a run. Nothing is judged then. */
const AT_ONCE = 8;

/** Deletes or revokes what the run has created, as far as the document has operations for it. Errors do not matter. */
async function tidyUp({ run, fixtures }: Context): Promise<void> {
  const removerOf = ({ creator }: Resource) =>
    run.spec.operations.find((each) => isDeleter(each) && originOf(run.spec, each)?.creator === creator);
  const info = { phase: 'setup', name: 'tidy up', expectation: 'any', atOnce: true } as const;
  for (let first = 0; first < fixtures.made.length; first += AT_ONCE) {
    const removals = fixtures.made.slice(first, first + AT_ONCE).map(async (resource) => {
      const remover = removerOf(resource);
      const draft = remover && !run.outOfTime() ? await fixtures.on(remover, resource) : undefined;
      return draft && (await run.attempt(draft, info));
    });
    const sent = await Promise.allSettled(removals);
    for (const each of sent) if (each.status === 'rejected') throw each.reason;
  }
  fixtures.forget();
}
