/** A flag, variable or option is wrong; the message names it and says what is allowed. The command exits with 2. */
export class InvalidArgument extends Error {
  override name = 'InvalidArgument';
}
