import type { Handlers } from '../contract/contract.js';
import { toInstant, toInstantOrNull } from '../instants.js';
import { applyPolicy } from '../tokens/apply-policy.js';
import { countViolations } from '../tokens/policy-breaches.js';

export const policy = {
  async getPolicy(deps, { caller }) {
    const { defaultLifetimeDays, maxLifetimeDays, requireExpiry, maxTokensPerOwner } = deps.config;
    const violations = await countViolations(deps, caller, deps.now());
    return { body: { defaultLifetimeDays, maxLifetimeDays, requireExpiry, maxTokensPerOwner, violations } };
  },

  async applyPolicy(deps, { actor, body: { action, inDays, spreadDays = 0, dryRun = false } }) {
    const applied = await applyPolicy(deps, actor, { action, inDays, spreadDays, dryRun });
    return {
      body: {
        dryRun,
        action,
        changed: applied.changed,
        unchanged: applied.unchanged,
        complete: applied.complete,
        firstEndsAt: toInstantOrNull(applied.firstEnd),
        lastEndsAt: toInstantOrNull(applied.lastEnd),
        samples: applied.samples.map(({ token, end }) => ({
          id: token.uuid,
          ownerId: token.ownerId,
          name: token.name,
          tokenPrefix: token.prefix,
          expiresAt: toInstantOrNull(token.expiresAt),
          endsAt: toInstant(end),
        })),
      },
    };
  },
} satisfies Partial<Handlers>;
