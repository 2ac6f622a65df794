import type { Check, ContractFinding } from './types.js';

/** A finding, with the numbers of the requests whose answers showed it. */
export interface Sighting {
  finding: ContractFinding;
  answers: Set<number>;
}

/** Most answers that are recorded for one finding; enough to compare it with others. */
export const MOST_ANSWERS = 200;

/** Checks by severity, the gravest first: crashes, then access without a valid credential, then all others. */
const WEIGHTS: Partial<Record<Check, number>> = {
  answer: 0,
  'server-error': 1,
  authentication: 2,
  credential: 1.5,
  revocation: 3,
  expiry: 3,
  secrets: 3,
};
const OTHERS = 4;

/** Fewest operations with the same finding for which the cause is probably a framework or a middleware. */
const MANY = 3;
const SHARED = new Set<Check>([
  'status',
  'body',
  'headers',
  'content-type',
  'method',
  'head',
  'place',
  'authentication',
  'revocation',
]);

/**
 * Sorts findings, so that one bug is reported once: faults before warnings, the gravest first, and after each finding
 * those that follow from it. Numbers them: `2` is a bug, `2.1` follows from it.
 */
export function fold(sightings: Sighting[]): ContractFinding[] {
  const sorted = sightings
    .map((sighting) => ({ ...sighting, first: Math.min(...sighting.answers, Number.MAX_SAFE_INTEGER) }))
    .sort((a, b) => severityOf(a) - severityOf(b) || weightOf(a) - weightOf(b) || a.first - b.first);
  const families: (typeof sorted)[] = [];
  for (const sighting of sorted) {
    const family = families.find((members) => members.some((member) => follows(sighting, member, sorted)));
    if (family) family.push(sighting);
    else families.push([sighting]);
  }
  return families.flatMap((members, family) =>
    members.map(({ finding }, place) => {
      const id = String(family + 1);
      return place === 0 ? { ...finding, id } : { ...finding, id: `${id}.${String(place)}`, follows: id };
    }),
  );
}

/** A warning may follow from a fault, but no fault follows from a warning. */
function severityOf({ finding }: Sighting): number {
  return finding.severity === 'fault' ? 0 : 1;
}

function weightOf({ finding }: Sighting): number {
  return WEIGHTS[finding.check] ?? OTHERS;
}

interface Placed extends Sighting {
  first: number;
}

/** Whether the bug behind `a` also causes `b`. */
function follows(b: Placed, a: Placed, all: Sighting[]): boolean {
  if (severityOf(a) > severityOf(b)) return false;
  if (isAfterCrash(b, a) || isAfterLoss(b, a)) return true;
  const one = a.finding;
  const other = b.finding;
  if (one.operation !== other.operation) return isShared(one, other, all);
  // Both findings come from the same answers, and `a` is wrong with those answers as a whole.
  if (/^(server-error|answer|status)$/.test(one.check) && isWithin(b.answers, a.answers)) return true;
  if (isOpenToAll(one)) return opens(other) || (other.check === 'authentication' && !isShut(other));
  if (opens(one) && opens(other)) return wayOf(one) === wayOf(other);
  if (one.check !== other.check) return false;
  if (one.check === 'revocation' && endOf(one) !== undefined) return endOf(one) === endOf(other);
  if (one.check === 'refusal') return isLax(one, all);
  if (one.check === 'method') return one.received === other.received;
  return one.check === 'acceptance' && other.phase === 'fuzz' && one.received === other.received;
}

/** After a crash the server answers nothing: the request that broke the first connection shows the bug. */
function isAfterCrash({ finding, first }: Placed, a: Placed): boolean {
  if (finding.check !== 'answer' || a.finding.check !== 'answer' || a.first >= first) return false;
  return finding.curl === '' || /ECONNREFUSED/.test(finding.message);
}

/** Whether a valid credential got 401 after the run had found its own credential invalid. */
function isAfterLoss({ finding }: Placed, { finding: loss }: Placed): boolean {
  if (loss.check !== 'credential' || loss.only === undefined) return false;
  return finding.only === loss.only && isShut(finding);
}

function isShared(a: ContractFinding, b: ContractFinding, all: Sighting[]): boolean {
  const isSame = ({ finding }: Sighting) => finding.check === a.check && finding.message === a.message;
  if (a.check !== b.check || a.message !== b.message || !SHARED.has(a.check)) return false;
  return all.filter(isSame).length >= MANY || a.check === 'revocation';
}

/** Whether a caller with no credential, or an expired or revoked one, got 2xx or 3xx. */
function opens({ check, received }: ContractFinding): boolean {
  return (check === 'authentication' || check === 'expiry' || check === 'revocation') && /^[23]/.test(received);
}

/** Whether an operation answers requests without any credential. */
function isOpenToAll(finding: ContractFinding): boolean {
  return opens(finding) && finding.case === 'a request without a credential';
}

/** Whether the server rejects a valid credential; a missing authentication check does not explain that. */
function isShut({ message }: ContractFinding): boolean {
  return message.includes('401 with a valid credential');
}

/** The security schemes that a case with a bad credential tests. */
function wayOf({ case: name }: ContractFinding): string | undefined {
  return / by (.+)$/.exec(name)?.[1] ?? name;
}

/** The operation that should have revoked or deleted something. */
function endOf({ case: name }: ContractFinding): string | undefined {
  return / after (\S+)/.exec(name)?.[1];
}

/** Whether an operation seems to validate nothing. */
function isLax({ operation }: ContractFinding, all: Sighting[]): boolean {
  return all.filter(({ finding }) => finding.operation === operation && finding.check === 'refusal').length >= LAX;
}

/** Fewest accepted invalid requests for which an operation probably validates nothing. */
const LAX = 6;

function isWithin(inner: Set<number>, outer: Set<number>): boolean {
  return inner.size > 0 && [...inner].every((answer) => outer.has(answer));
}
