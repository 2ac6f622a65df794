import type { Json } from '../document/json.js';

/** A value at or beyond a limit of a schema. The judge decides whether it is valid. `note` describes the value. */
export interface Candidate {
  value: Json;
  note: string;
}
