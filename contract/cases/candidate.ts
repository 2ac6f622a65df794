import type { Json } from '../document/json.js';

/** A value at or beyond a limit of a schema. The judge decides whether it is valid. `note` describes the value. */
export interface Candidate {
  value: Json;
  note: string;
  /**
   * Whether it tests how the schema is validated, and not its limits. Of several places with the same schema it need be
   * sent to one.
   */
  isShared?: boolean;
}

/** The candidates for one of `places` places with the same schema; the `turn`th has its share of the shared ones. */
export function shareOf(candidates: Candidate[], turn: number, places: number): Candidate[] {
  let shared = 0;
  return candidates.filter(({ isShared }) => isShared !== true || shared++ % places === turn);
}

/** The place of each schema among those that are equal to it, and how many of these there are. */
export function turnsOf(schemas: Json[]): { turn: number; places: number }[] {
  const texts = schemas.map((schema) => JSON.stringify(schema));
  return texts.map((text, index) => ({
    turn: texts.slice(0, index).filter((other) => other === text).length,
    places: texts.filter((other) => other === text).length,
  }));
}
