import type { Json } from '../document/json.js';

/** A value at or beyond an edge of a schema. Whether it is valid the judge says, not the case. */
export interface Candidate {
  value: Json;
  note: string;
}
