import type { Check, ContractFinding } from './types.js';

/** A finding together with the answers that showed it, by the number of their request. */
export interface Sighting {
  finding: ContractFinding;
  answers: Set<number>;
}

/** Answers that are remembered of one finding: enough to compare it with others. */
export const MOST_ANSWERS = 200;

/** The gravest first: what ends the service, then what opens it to strangers, then all others. */
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

/** Findings whose cause is what all operations share, such as a framework or a middleware, once this many have them. */
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
 * Puts the gravest findings first, faults before warnings, and right behind each the ones that follow from it, so that one
 * bug is told once.
 * Numbers them: `2` is a bug, `2.1` follows from it.
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

/** Faults before warnings: a warning may follow from a fault, and no fault from a warning. */
function severityOf({ finding }: Sighting): number {
  return finding.severity === 'fault' ? 0 : 1;
}

function weightOf({ finding }: Sighting): number {
  return WEIGHTS[finding.check] ?? OTHERS;
}

interface Placed extends Sighting {
  first: number;
}

/** Whether `b` is there because `a` is. */
function follows(b: Placed, a: Placed, all: Sighting[]): boolean {
  if (severityOf(a) > severityOf(b)) return false;
  if (isAfterCrash(b, a) || isAfterLoss(b, a)) return true;
  const one = a.finding;
  const other = b.finding;
  if (one.operation !== other.operation) return isShared(one, other, all);
  // One answer, and the cause is in what is wrong with the answer as such.
  if (/^(server-error|answer|status)$/.test(one.check) && isWithin(b.answers, a.answers)) return true;
  if (isOpenToAll(one)) return opens(other) || (other.check === 'authentication' && !isShut(other));
  if (opens(one) && opens(other)) return wayOf(one) === wayOf(other);
  if (one.check !== other.check) return false;
  if (one.check === 'revocation' && endOf(one) !== undefined) return endOf(one) === endOf(other);
  if (one.check === 'refusal') return isLax(one, all);
  if (one.check === 'method') return one.received === other.received;
  return one.check === 'acceptance' && other.phase === 'fuzz' && one.received === other.received;
}

/** A server that is gone answers nothing any more: what broke the first connection is the bug. */
function isAfterCrash({ finding, first }: Placed, a: Placed): boolean {
  if (finding.check !== 'answer' || a.finding.check !== 'answer' || a.first >= first) return false;
  return finding.curl === '' || /ECONNREFUSED/.test(finding.message);
}

/** What is refused for the credential's death, and the death as the run noticed it. */
function isAfterLoss({ finding }: Placed, { finding: death }: Placed): boolean {
  if (death.check !== 'credential' || death.only === undefined) return false;
  return finding.only === death.only && isShut(finding);
}

function isShared(a: ContractFinding, b: ContractFinding, all: Sighting[]): boolean {
  const isSame = ({ finding }: Sighting) => finding.check === a.check && finding.message === a.message;
  if (a.check !== b.check || a.message !== b.message || !SHARED.has(a.check)) return false;
  return all.filter(isSame).length >= MANY || a.check === 'revocation';
}

/** Whether a stranger, or one whose time is over, got something. */
function opens({ check, received }: ContractFinding): boolean {
  return (check === 'authentication' || check === 'expiry' || check === 'revocation') && /^[23]/.test(received);
}

/** Whether an operation asks for no credential at all. */
function isOpenToAll(finding: ContractFinding): boolean {
  return opens(finding) && finding.case === 'a request without a credential';
}

/** Whether a good credential is refused, which is no consequence of an open door. */
function isShut({ message }: ContractFinding): boolean {
  return message.includes('401 with a good credential');
}

/** The security schemes that a case of bad credentials is about. */
function wayOf({ case: name }: ContractFinding): string | undefined {
  return / by (.+)$/.exec(name)?.[1] ?? name;
}

/** The operation after which something should have ended. */
function endOf({ case: name }: ContractFinding): string | undefined {
  return / after (\S+)/.exec(name)?.[1];
}

/** Whether an operation takes whatever it is sent. */
function isLax({ operation }: ContractFinding, all: Sighting[]): boolean {
  return all.filter(({ finding }) => finding.operation === operation && finding.check === 'refusal').length >= LAX;
}

/** Refusals that are missing at one operation, from which on nothing seems to be looked at. */
const LAX = 6;

function isWithin(inner: Set<number>, outer: Set<number>): boolean {
  return inner.size > 0 && [...inner].every((answer) => outer.has(answer));
}
