import { nameOf, type ScanReport } from './types.js';

/** Formats the report as JSON for programs, without plaintexts. */
export function toJson(report: ScanReport): string {
  const { tokens, allowed, unlistedPlaces, complete, files, objects, bytes, durationMs, warnings } = report;
  const findings = tokens.flatMap(({ kind, brand, masked, fingerprint, state = null, places }) =>
    places.map((place) => ({
      source: place.history === undefined ? 'file' : 'history',
      file: nameOf(place),
      line: place.line,
      column: place.column,
      offset: place.offset,
      commit: place.history?.commit ?? null,
      versions: place.history?.versions ?? null,
      kind,
      brand,
      masked,
      fingerprint,
      state,
    })),
  );
  const summary = { tokens: tokens.length, allowed, places: findings.length, unlistedPlaces, complete };
  const searched = { files, objects, bytes, durationMs: Math.round(durationMs) };
  return `${JSON.stringify({ summary, findings, warnings, searched }, null, 2)}\n`;
}
