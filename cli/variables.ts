import { type CommandVariable, variableIn } from '../server/config/environment.js';

/** An environment variable; an empty one counts as none. */
export function variable(name: CommandVariable): string | undefined {
  return variableIn(process.env, name);
}
