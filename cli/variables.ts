import { type CommandVariable, variableIn } from '../server/config/environment.js';

/** Value of an environment variable; undefined if it is not set or empty. */
export function variable(name: CommandVariable): string | undefined {
  return variableIn(process.env, name);
}
