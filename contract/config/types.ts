import type { Laws } from '../laws/types.js';
import type { ContractOptions } from '../options.js';
import type { SecretSource } from './secret.js';

/** An identity in a configuration file: where its credentials are. */
export interface ConfiguredIdentity {
  token?: SecretSource;
  credentials?: Record<string, SecretSource>;
  login?: { username: string; password: SecretSource };
}

/** The content of a configuration file; `contract.schema.json` describes each member. */
export interface ContractConfig
  extends ConfiguredIdentity,
    Pick<
      ContractOptions,
      | 'shared'
      | 'only'
      | 'leaveOut'
      | 'values'
      | 'checks'
      | 'excludeChecks'
      | 'seeds'
      | 'fuzzRuns'
      | 'allowIncomplete'
      | 'maxFaults'
    > {
  url?: string;
  spec?: string;
  other?: ConfiguredIdentity | ConfiguredIdentity[];
  headers?: Record<string, string | SecretSource>;
  time?: string;
  answerTimeout?: string;
  maxResponseTime?: string;
  hooks?: string;
  laws?: Laws | string;
}
