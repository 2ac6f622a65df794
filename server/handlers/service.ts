import type { ClockCheck } from '../clock-check.js';
import type { Handlers } from '../contract/contract.js';
import { openApi, readOpenApiYaml } from '../contract/operations.js';
import { clockSkew, overloaded, unavailable } from '../errors.js';
import type { Load } from '../http/load.js';
import { lostLogLines } from '../log/log.js';

type OpenApi = Awaited<ReturnType<Handlers['getOpenApiJson']>>['body'];

/** The state of this process. */
export interface ServiceState {
  /** `draining` from when the process is told to stop. */
  phase: 'starting' | 'ready' | 'draining';
  load: Pick<Load, 'isShedding' | 'eventLoopDelay'>;
  clocks: Pick<ClockCheck, 'isSkewed'>;
}

export function createService(state: ServiceState) {
  return {
    getHealth: () => ({ body: { status: 'ok' } }),

    async getReadiness({ db, feed }) {
      if (state.phase === 'starting') throw unavailable('The service is starting. Try again in a second.');
      if (state.phase === 'draining')
        throw unavailable('The service is stopping. Send the request to another process.');
      await db.ping();
      if (state.clocks.isSkewed) throw clockSkew();
      // Checked last: the other states are worse, and `overloaded` would hide them.
      if (state.load.isShedding) throw overloaded();
      return {
        body: {
          status: 'ready',
          eventLoopDelayMs: state.load.eventLoopDelay(),
          lostLogLines: lostLogLines(),
          eventStreams: feed.count(),
        },
      };
    },

    getOpenApiJson: () => ({ body: openApi as OpenApi }),

    getOpenApiYaml: () => ({ body: readOpenApiYaml() }),
  } satisfies Partial<Handlers>;
}
