/** The database cannot be used. The message tells the operator why. */
export class DatabaseRefusal extends Error {
  override name = 'DatabaseRefusal';
}
