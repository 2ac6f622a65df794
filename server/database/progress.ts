import { nextTurn, performanceNow } from '../timers.js';

/** How far a change of the schema is. */
export interface MigrationProgress {
  /** The migration's name, such as `0006-data-model`. */
  migration: string;
  /** What is done, such as `tokens copied`. */
  step: string;
  /** Of `total`, so far. */
  done: number;
  total: number;
}

/** Tells how far the migration is, and lets the rest of the process have a turn: its log, say. */
export type Report = (progress: Omit<MigrationProgress, 'migration'>) => Promise<void>;

/** Milliseconds between two notices of one migration. */
const BETWEEN_NOTICES = 2_000;

/** Tells of a migration at its start, and then from time to time. */
export function reportTo(onProgress: (progress: MigrationProgress) => void, migration: string): Report {
  let noticeAt = 0;
  return async (progress) => {
    const now = performanceNow();
    if (now >= noticeAt) {
      noticeAt = now + BETWEEN_NOTICES;
      onProgress({ migration, ...progress });
    }
    // Else what is told stays in this process until the migration is over.
    await nextTurn();
  };
}
