/**
 * The contract tests could not run: the document cannot be read, the server does not answer, or it rejects the
 * credential. The error does not say whether the server keeps the contract.
 */
export class CouldNotRun extends Error {
  override name = 'CouldNotRun';
}

/** The time of the run is over. The error ends the current phase, and the report lists what was not tested. */
export class OutOfTime extends Error {
  override name = 'OutOfTime';
}
