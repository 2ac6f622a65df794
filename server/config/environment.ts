import { closestMatch } from 'leven';
import { InvalidArgument } from './invalid-argument.js';

/** The variables that only the commands read, and not the service. */
export const COMMAND_VARIABLES = [
  'LATCHKEY_URL',
  'LATCHKEY_TOKEN',
  'LATCHKEY_PROFILE',
  'LATCHKEY_CONFIG',
  'LATCHKEY_PASSWORD',
] as const;
export type CommandVariable = (typeof COMMAND_VARIABLES)[number];

const OURS = /^LATCHKEY_/i;
/** Variables that Kubernetes and Docker set for a service called latchkey, or latchkey-something. */
const OF_A_PLATFORM =
  /^LATCHKEY_((SERVICE|PORT)_.*|\w+_SERVICE_(HOST|PORT)(_\w+)?|\w+_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const ADDRESS_OF_A_PLATFORM = /^(tcp|udp|sctp):\/\//;
/** The most insertions, removals and replacements of one character between a misspelt name and the suggested one. */
const MOST_EDITS = 2;

/** An environment variable; undefined if it is empty, or a platform set it to an address like `tcp://10.0.0.1:8080`. */
export function variableIn(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name] ?? '';
  return value === '' || isAddressOfPlatform(name, value) ? undefined : value;
}

/**
 * The variables that begin with `LATCHKEY_` and are not in `known`, without those that a container platform sets. Throws
 * `InvalidArgument` if such a name is within two edits of a known name, in any letter case; the message suggests it.
 */
export function unknownVariables(environment: NodeJS.ProcessEnv, known: readonly string[]): string[] {
  const candidates = [...known, ...COMMAND_VARIABLES];
  const unknown = Object.keys(environment).filter((name) => {
    if (!OURS.test(name) || variableIn(environment, name) === undefined || OF_A_PLATFORM.test(name)) return false;
    // On Windows the names of variables ignore letter case.
    return !candidates.includes(process.platform === 'win32' ? name.toUpperCase() : name);
  });
  for (const name of unknown) {
    const meant = closestMatch(name.toUpperCase(), candidates, { maxDistance: MOST_EDITS });
    if (meant !== undefined) throw new InvalidArgument(`there is no setting ${name}; did you mean ${meant}?`);
  }
  return unknown;
}

function isAddressOfPlatform(name: string, value: string): boolean {
  return name.endsWith('_PORT') && ADDRESS_OF_A_PLATFORM.test(value);
}
