/**
 * The contract tests could not run at all: the spec cannot be read, the server does not answer, or the credential is
 * refused. It says nothing about whether the server holds the contract.
 */
export class CouldNotRun extends Error {
  override name = 'CouldNotRun';
}

/** The time of the run is over: whatever is under way ends here, and the report says what was not tested. */
export class OutOfTime extends Error {
  override name = 'OutOfTime';
}
