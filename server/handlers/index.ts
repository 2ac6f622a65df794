import type { Handlers } from '../contract/contract.js';
import { accessTokens } from './access-tokens.js';
import { auditLog } from './audit-log.js';
import { leaks } from './leaks.js';
import { oauth } from './oauth.js';
import { policy } from './policy.js';
import { privateTokens } from './private-tokens.js';
import { createService, type ServiceState } from './service.js';
import { sessions } from './sessions.js';
import { users } from './users.js';
import { verification } from './verification.js';
import { webhooks } from './webhooks.js';

/** Every operation of the contract. */
export function createHandlers(state: ServiceState): Handlers {
  return {
    ...privateTokens,
    ...accessTokens,
    ...verification,
    ...oauth,
    ...users,
    ...auditLog,
    ...leaks,
    ...webhooks,
    ...policy,
    ...sessions,
    ...createService(state),
  };
}
