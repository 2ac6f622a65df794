import { nextTurn, performanceNow } from '../timers.js';

/** The progress of a migration. */
export interface MigrationProgress {
  /** The migration's name, such as `0006-data-model`. */
  migration: string;
  /** What is counted, such as `tokens copied`. */
  step: string;
  /** How many of `total` are done. */
  done: number;
  total: number;
}

/** Reports the progress of the migration. Resolves after the rest of the process had a turn, for example to write its log. */
export type Report = (progress: Omit<MigrationProgress, 'migration'>) => Promise<void>;

/** Milliseconds between two calls of `onProgress` for one migration. */
const BETWEEN_NOTICES = 2_000;

/** Creates a `Report` that calls `onProgress` at the start of the migration and then every 2 seconds. */
export function reportTo(onProgress: (progress: MigrationProgress) => void, migration: string): Report {
  let noticeAt = 0;
  return async (progress) => {
    const now = performanceNow();
    if (now >= noticeAt) {
      noticeAt = now + BETWEEN_NOTICES;
      onProgress({ migration, ...progress });
    }
    // Without a turn of the event loop, the log would be written only after the migration.
    await nextTurn();
  };
}
