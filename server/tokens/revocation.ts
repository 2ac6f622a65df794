import { sql } from 'kysely';
import type { RevocationReason } from '../database/index.js';
import type { Actor } from './actor.js';

/** When, by whom and why tokens are revoked. */
export interface Revocation {
  /** Milliseconds since 1970. */
  at: number;
  by: Actor;
  reason: RevocationReason;
}

/** The columns that a revocation sets. Only rows that are not revoked may get them, so that the first revocation stays. */
export function revoked({ at, by: { caller }, reason }: Revocation) {
  return revokedColumns({ at, by: caller?.ownerId ?? null, reason });
}

/** The columns of `revoked`, from the id of the user who revokes. */
export function revokedColumns({ at, by, reason }: { at: number; by: number | null; reason: RevocationReason }) {
  return { revoked_at: at, revoked_by: by, revoked_reason: reason, version: sql<number>`version + 1` };
}
