import { setTimeout as sleep } from 'node:timers/promises';
import { rowsOf } from './store.js';

/** Milliseconds. The service acts on a report within a second; a busy machine takes longer. */
const PATIENCE = 10_000;

/** Waits until the service has acted on all reports of leaks. */
export async function untilActedOn(service: { database: string }): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while ((await rowsOf(service, 'select id from leak_reports')).length > 0) {
    if (performance.now() > deadline) throw new Error('nobody acted on the report');
    await sleep(25);
  }
}
