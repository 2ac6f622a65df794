/** The cause lies with the store, or with the way to it, and not with the query. */
export class StorageFault extends Error {
  override name = 'StorageFault';
}

/** A row has what another row of the table has already, and only one may. */
export class UniqueViolation extends Error {
  override name = 'UniqueViolation';
}

/** More queries wait than can be answered in time. */
export class WriteQueueFull extends Error {
  override name = 'WriteQueueFull';
}
