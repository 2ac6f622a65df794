import { type Credentials, createCredentials } from './credentials.js';
import { isSecured, type Operation, type Spec } from './document/model.js';
import type { DryRun } from './dry-run.js';
import { createFixtures, type Fixtures } from './fixtures.js';
import type { Credential } from './http/draft.js';
import type { ContractOptions } from './options.js';
import { canProtect, dangerOf, isLogout, isRotator, type Presenters, presentersOf } from './policy.js';
import type { Phase } from './report/types.js';
import { createRun, type Run } from './run.js';
import { createVigil, type Vigil } from './vigil.js';

/** What every phase works with: the run, its credential, and its valid requests. */
export interface Context {
  run: Run;
  credentials: Credentials;
  fixtures: Fixtures;
  presenters: Presenters;
  /**
   * A new credential for an operation that may end it: one that an operation issues, else a new session. For a logout,
   * a session comes first. Undefined if the run can get neither.
   */
  throwaway(operation: Operation, phase: Phase): Promise<Credential | undefined>;
  /** Why the run cannot send a valid request of the operation; undefined if it can. */
  obstacle(operation: Operation): string | undefined;
  /** Whether the run can send a valid request of the operation. If not, the report gets the reason. */
  isReachable(operation: Operation): boolean;
  vigil: Vigil;
}

const TOO_DANGEROUS = "it may end the run's own credential, or things that the run has not created";

/** Prepares a run. With `startDryRun` nothing is sent: the dry run that it creates answers instead of the server. */
export async function createContext(
  options: ContractOptions,
  startDryRun?: (spec: Spec, seed: number) => DryRun,
): Promise<Context> {
  const run = await createRun(options, startDryRun);
  try {
    const credentials = await createCredentials(run);
    return assemble(run, credentials);
  } catch (error) {
    run.close();
    throw error;
  }
}

function wanted({ security }: Operation): string {
  return security.map((schemes) => schemes.join(' and ')).join(', or ');
}

function assemble(run: Run, credentials: Credentials): Context {
  const fixtures = createFixtures(run, credentials);
  const vigil = createVigil(credentials, (check, message) => {
    run.abort(check, message);
  });
  run.watchWith(vigil);

  async function throwaway(operation: Operation, phase: Phase): Promise<Credential | undefined> {
    const session = async () => (await credentials.logIn())?.credential;
    if (isLogout(operation)) return (await session()) ?? (await issued(phase));
    return (await issued(phase)) ?? (await session());
  }

  /** A new credential from the first operation that issues one. Operations known to issue one come first. */
  async function issued(phase: Phase): Promise<Credential | undefined> {
    const known = run.spec.operations.filter(({ id }) => (run.issues.get(id)?.length ?? 0) > 0);
    const others = run.spec.operations.filter(
      (operation) => !run.issues.has(operation.id) && operation.method === 'POST' && isSecured(operation),
    );
    for (const creator of [...known, ...others]) {
      if (dangerOf(creator, run.spec) !== 'none' || isRotator(creator) || obstacle(creator) !== undefined) continue;
      const resource = await fixtures.create(creator, { phase, name: 'create a disposable credential' });
      if (resource?.token !== undefined) return { token: resource.token, perScheme: {} };
    }
    return undefined;
  }

  function obstacle(operation: Operation): string | undefined {
    const broken = run.spec.broken.get(operation.id);
    if (broken !== undefined) return broken;
    if (isSecured(operation)) {
      if (credentials.alternatives(operation).length === 0)
        return `its security schemes are not supported: ${operation.security.flat().join(', ')}`;
      if (credentials.main === undefined) return 'no credential was given';
      if (credentials.ways(operation).length === 0) return `no credential was given for ${wanted(operation)}`;
    }
    return isTooDangerous(operation) ? TOO_DANGEROUS : undefined;
  }

  function isTooDangerous(operation: Operation): boolean {
    return dangerOf(operation, run.spec) === 'sweeps' && !canProtect(operation, run.spec);
  }

  function isReachable(operation: Operation): boolean {
    const why = obstacle(operation);
    if (why === undefined) return true;
    if (why === TOO_DANGEROUS) {
      run.record.skip(operation, why);
      run.record.extent.exempt(operation);
    } else run.record.extent.leaveOut(operation, why);
    return false;
  }

  return {
    run,
    credentials,
    fixtures,
    presenters: presentersOf(run.spec),
    throwaway,
    obstacle,
    isReachable,
    vigil,
  };
}
