/** An instant as both surfaces state it: RFC 3339 in UTC with milliseconds. */
export function toInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function toInstantOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : toInstant(milliseconds);
}
