import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TokenKind } from '../pattern.js';
import { type FoundToken, nameOf, type Place, type ScanReport } from './types.js';

const RULES: Record<TokenKind, { id: string; name: string; what: string }> = {
  pat: { id: 'access-token', name: 'AccessToken', what: 'Personal access token' },
  ses: { id: 'session-token', name: 'SessionToken', what: 'Session token' },
  ref: { id: 'refresh-token', name: 'RefreshToken', what: 'Refresh token' },
};
const KINDS = Object.keys(RULES) as TokenKind[];

/** Formats the report as SARIF 2.1.0 (OASIS) for code scanning, without plaintexts. */
export function toSarif(report: ScanReport, version: string): string {
  const rules = KINDS.map((kind) => {
    const { id, name, what } = RULES[kind];
    return {
      id,
      name,
      shortDescription: { text: `${what} of Latchkey in clear text` },
      fullDescription: { text: 'Whoever reads the token can use it until it is revoked.' },
      help: {
        text: 'Revoke the token, issue another one, and do not store that in files. Deleting the file does not remove the token from the history.',
      },
      defaultConfiguration: { level: 'error' },
      properties: { tags: ['security', 'secret'], 'security-severity': '9.0' },
    };
  });
  const run = {
    tool: { driver: { name: 'Latchkey', semanticVersion: version, rules } },
    automationDetails: { id: 'latchkey-scan/' },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: report.complete,
        toolExecutionNotifications: report.warnings.map(({ place, message }) => ({
          level: 'warning',
          message: { text: `${place}: ${message}` },
        })),
      },
    ],
    results: report.tokens.flatMap((token) => token.places.map((place) => toResult(token, place))),
  };
  const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function toResult(token: FoundToken, place: Place): object {
  const { kind, masked, fingerprint, state } = token;
  const { line, column, history } = place;
  const position = `${nameOf(place)}:${String(line)}:${String(column)}`;
  const since = history === undefined ? '' : `, in the history since ${history.commit ?? 'a commit that is gone'}`;
  return {
    ruleId: RULES[kind].id,
    ruleIndex: KINDS.indexOf(kind),
    level: 'error',
    message: { text: `${RULES[kind].what} ${masked} at ${position}${since}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: locate(place.file),
          // A viewer cannot show lines inside an archive.
          ...(!place.expanded && place.members.length === 0 && { region: regionOf(token, place) }),
        },
      },
    ],
    partialFingerprints: { 'latchkeyToken/v1': fingerprint },
    ...((history !== undefined || state !== undefined) && {
      properties: { ...history, ...(state !== undefined && { state }) },
    }),
  };
}

function regionOf(token: FoundToken, { line, column }: Place): object {
  return { startLine: line, startColumn: column, endColumn: column + token.plaintext().length };
}

/** URI of a file, relative to the folder of the scan (`%SRCROOT%`), which usually is the root of the repository. */
function locate(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  return { uri: file.split(/[/\\]/).map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}
