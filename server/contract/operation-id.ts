import type * as sdk from '../../generated/sdk.gen.js';

/** The name of each operation of the contract. */
export type OperationId = keyof typeof sdk;
