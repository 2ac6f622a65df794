/** Ends the command with the message as one line on standard error, and with the exit code. */
export abstract class Failure extends Error {
  abstract readonly exitCode: number;
}

/** The service, or the command itself, was asked and says no. */
export class Refused extends Failure {
  override name = 'Refused';
  readonly exitCode = 1;
}

/** Nothing could be asked: the command line or the configuration is wrong, or nobody answers. */
export class WrongUse extends Failure {
  override name = 'WrongUse';
  readonly exitCode = 2;
}

/** Ctrl-C at a question; the code is what shells give for SIGINT. */
export class Interrupted extends Failure {
  override name = 'Interrupted';
  readonly exitCode = 130;

  constructor() {
    super('interrupted');
  }
}
