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

/** Runs the contract tests against our own service behind a fault, with a second identity, until something is found. */
export async function hunt(
  { startServer, openUsers, testContract, templates, log }: Parts,
  fault: Fault,
  options: Partial<ContractOptions> & { administrator?: boolean } = {},
): Promise<Catch> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-hunt-'));
  const database = join(folder, 'latchkey.db');
  const { username: adminEmail, password: adminPassword } = ADMIN;

  const server = await startServer({ port: 0, database, adminEmail, adminPassword, ...(log && { log }) });
  const users = await openUsers(database);
  await users.add({ email: OTHER.username, fullName: 'Other', isAdmin: false, password: OTHER.password });
  await users.close();
  const proxy = await startProxy(server.url, templates, fault);
  const { administrator = true, ...more } = options;
  const [login, second] = administrator ? [ADMIN, OTHER] : [OTHER, ADMIN];
  try {
    const report = await testContract({
      url: proxy.url,
      login,
      seed: 1,
      timeMs: 900_000,
      maxFaults: 1,
      other: { login: second },
      ...more,
    });
    return { found: report.failures[0], report };
  } finally {
    await proxy.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
