/**
 * The contract tests could not run at all: the spec cannot be read, the server does not answer, or the credential is
 * refused. It says nothing about whether the server holds the contract.
 */
export class CouldNotRun extends Error {
  override name = 'CouldNotRun';
}
