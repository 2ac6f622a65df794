/** Ends the command: the message is printed as one line on standard error, and `exitCode` is used. */
export abstract class Failure extends Error {
  abstract readonly exitCode: number;
}

/** The service, or the command itself, rejected what was asked. */
export class Rejected extends Failure {
  override name = 'Rejected';
  readonly exitCode = 1;
}

/** The command could not do its work: the command line or configuration is wrong, or the service does not answer. */
export class WrongUse extends Failure {
  override name = 'WrongUse';
  readonly exitCode = 2;
}

/** The user pressed Ctrl-C. Shells use the same exit code for SIGINT. */
export class Interrupted extends Failure {
  override name = 'Interrupted';
  readonly exitCode = 130;

  constructor(message = 'interrupted') {
    super(message);
  }
}
