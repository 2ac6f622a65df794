import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractFinding, ContractOptions, ContractReport } from '../../../contract/index.js';
import type { ServerOptions } from '../../../server/index.js';
import { ADMIN } from './making.js';
import { type Fault, startProxy, type Template } from './proxy.js';

/** What a hunt needs of this project: its source in tests, what was built of it in the program. */
export interface Parts {
  startServer: typeof import('../../../server/index.js').startServer;
  openUsers: typeof import('../../../server/index.js').openUsers;
  testContract(options: ContractOptions): Promise<ContractReport>;
  templates: Template[];
  log: ServerOptions['log'];
}

export interface Catch {
  /** The first finding; undefined where the run found nothing. */
  found: ContractFinding | undefined;
  report: ContractReport;
}

const OTHER = { username: 'other@example.org', password: 'the password of another' };

/** Our own service with two users, for several hunts. */
export interface Ground {
  /** Runs the contract tests against the service behind a fault, with a second identity, until something is found. */
  hunt(fault: Fault, options?: HuntOptions): Promise<Catch>;
  close(): Promise<void>;
}

type HuntOptions = Partial<ContractOptions> & { administrator?: boolean };

export async function openGround({ startServer, openUsers, testContract, templates, log }: Parts): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-hunt-'));
  const database = join(folder, 'latchkey.db');
  const { username: adminEmail, password: adminPassword } = ADMIN;
  const server = await startServer({ port: 0, database, adminEmail, adminPassword, ...(log && { log }) });
  const users = await openUsers(database);
  await users.add({ email: OTHER.username, fullName: 'Other', isAdmin: false, password: OTHER.password });
  await users.close();
  return {
    async hunt(fault, { administrator = true, ...options } = {}) {
      const proxy = await startProxy(server.url, templates, fault);
      const [login, second] = administrator ? [ADMIN, OTHER] : [OTHER, ADMIN];
      try {
        const report = await testContract({
          url: proxy.url,
          login,
          seed: 1,
          timeMs: 900_000,
          maxFaults: 1,
          other: { login: second },
          ...options,
        });
        return { found: report.failures[0], report };
      } finally {
        await proxy.close();
      }
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Hunts once, against a service of its own. */
export async function hunt(parts: Parts, fault: Fault, options?: HuntOptions): Promise<Catch> {
  const ground = await openGround(parts);
  try {
    return await ground.hunt(fault, options);
  } finally {
    await ground.close();
  }
}
