import type { Handlers } from '../contract/contract.js';
import { openApi, readOpenApiYaml } from '../contract/operations.js';
import { overloaded, unavailable } from '../errors.js';
import type { Load } from '../http/load.js';
import { lostLogLines } from '../log/log.js';

type OpenApi = Awaited<ReturnType<Handlers['getOpenApiJson']>>['body'];

/** What the process knows of itself. */
export interface ServiceState {
  /** `draining` from the moment on at which the process is told to stop. */
  phase: 'starting' | 'ready' | 'draining';
  load: Pick<Load, 'isShedding' | 'eventLoopDelay'>;
}

export function createService(state: ServiceState) {
  return {
    getHealth: () => ({ body: { status: 'ok' } }),

    async getReadiness({ db }) {
      if (state.phase === 'starting') throw unavailable('The service is about to start.');
      if (state.phase === 'draining') throw unavailable('The service is about to stop.');
      await db.ping();
      // Last, since it says the least: a process that cannot serve at all does not become able to by waiting a second.
      if (state.load.isShedding) throw overloaded();
      return {
        body: { status: 'ready', eventLoopDelayMs: state.load.eventLoopDelay(), lostLogLines: lostLogLines() },
      };
    },

    getOpenApiJson: () => ({ body: openApi as OpenApi }),

    getOpenApiYaml: () => ({ body: readOpenApiYaml() }),
  } satisfies Partial<Handlers>;
}
