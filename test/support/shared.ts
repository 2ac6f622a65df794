import { afterAll } from 'vitest';
import type { ServerOptions } from '../../server/index.js';
import { type Person, type Service, startService } from './service.js';

/**
 * Shares one service between all tests of the enclosing group, with the first user logged in and the result of `prepare`.
 * Use it for tables of cases that change nothing. The service starts with the group's first test and stops after the last.
 */
export function shareService<T>(
  prepare?: (service: Service, admin: Person) => Promise<T>,
  options: ServerOptions = {},
): () => Promise<{ service: Service; admin: Person; made: T }> {
  const cleanUps: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });

  async function start() {
    const service = await startService(options, (cleanUp) => cleanUps.push(cleanUp));
    const admin = await service.admin();
    return { service, admin, made: (await prepare?.(service, admin)) as T };
  }
  let started: ReturnType<typeof start> | undefined;
  return () => (started ??= start());
}
