/** The database cannot be served: its message is for the operator. */
export class DatabaseRefusal extends Error {
  override name = 'DatabaseRefusal';
}
