/** The database or the connection to it failed, not the query. */
export class StorageFault extends Error {
  override name = 'StorageFault';
}

/** A row breaks a unique constraint: another row already has the same value. */
export class UniqueViolation extends Error {
  override name = 'UniqueViolation';
}

/** Too many queries wait to be answered in time. */
export class WriteQueueFull extends Error {
  override name = 'WriteQueueFull';
}
