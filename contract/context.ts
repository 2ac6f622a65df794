import { type Credentials, createCredentials } from './credentials.js';
import { isSecured, type Operation, type Spec } from './document/model.js';
import type { DryRun } from './dry-run.js';
import { createFixtures, type Fixtures } from './fixtures.js';
import type { Credential } from './http/draft.js';
import type { ContractOptions } from './options.js';
import { canProtect, dangerOf, isLogout, isRotator, type Presenters, presentersOf } from './policy.js';
import type { Phase } from './report/types.js';
import { createRun, type Run } from './run.js';

/** A run with its credential and its fixtures: what every phase works with. */
export interface Context {
  run: Run;
  credentials: Credentials;
  fixtures: Fixtures;
  presenters: Presenters;
  /**
   * A credential for an operation that may end it: one that the spec lets the run create, else a further session; for a
   * logout the other way round.
   */
  throwaway(operation: Operation, phase: Phase): Promise<Credential | undefined>;
  /** Why no good request of an operation can be sent; undefined where it can. */
  obstacle(operation: Operation): string | undefined;
  /** Whether a good request can be sent; the report says why not where it cannot. */
  isReachable(operation: Operation): boolean;
  /** Whether the run's own credential still serves; a failure is recorded where it does not. */
  isCredentialValid(after: string): Promise<boolean>;
}

const TOO_DANGEROUS = "it may end the run's own credential, or what the run has not made";

/** `startDryRun` makes what answers for the server, where nothing is to be sent. */
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
  let dead = false;

  async function throwaway(operation: Operation, phase: Phase): Promise<Credential | undefined> {
    const session = async () => (await credentials.logIn())?.credential;
    if (isLogout(operation)) return (await session()) ?? (await issued(phase));
    return (await issued(phase)) ?? (await session());
  }

  /** A credential that some operation issues; those that are known to issue one are asked first. */
  async function issued(phase: Phase): Promise<Credential | undefined> {
    const known = run.spec.operations.filter(({ id }) => (run.issues.get(id)?.length ?? 0) > 0);
    const others = run.spec.operations.filter(
      (operation) => !run.issues.has(operation.id) && operation.method === 'POST' && isSecured(operation),
    );
    for (const creator of [...known, ...others]) {
      if (dangerOf(creator, run.spec) !== 'none' || isRotator(creator) || obstacle(creator) !== undefined) continue;
      const resource = await fixtures.create(creator, { phase, name: 'create a credential to throw away' });
      if (resource?.token !== undefined) return { token: resource.token, perScheme: {} };
    }
    return undefined;
  }

  function obstacle(operation: Operation): string | undefined {
    const broken = run.spec.broken.get(operation.id);
    if (broken !== undefined) return broken;
    if (isSecured(operation)) {
      if (credentials.alternatives(operation).length === 0)
        return `none of its security schemes can be tried: ${operation.security.flat().join(', ')}`;
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

  async function isCredentialValid(after: string): Promise<boolean> {
    if (dead || credentials.main === undefined) return !dead;
    let state = await credentials.stateOf(credentials.main);
    if (state === 'no answer') state = await credentials.stateOf(credentials.main);
    if (state !== 'rejected' && state !== 'no answer') return true;
    dead = true;
    if (state === 'rejected') run.record.abort('credential', `the run's credential died in the ${after}`);
    else run.record.abort('answer', `the server answers nothing any more after the ${after}`);
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
    isCredentialValid,
  };
}
