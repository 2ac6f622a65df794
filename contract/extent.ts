import type { Operation } from './document/model.js';
import type { OperationReport, Untested } from './report/types.js';

/** Tracks which operations a run has tested, which it has not, and why. */
export interface Extent {
  /** Adds a part of the run that must finish before the operation counts as tested. */
  plan(operation: Operation, part: object): void;
  finished(operation: Operation, part: object): void;
  /** The number of operations whose parts are all finished, and the finished share of all parts, from 0 to 1. */
  done(): { operations: number; share: number };
  /** Counts the status of a valid request. */
  answered(operation: Operation, status: number): void;
  /** Records that the run could not make a valid request, and why. */
  lacksValidRequest(operation: Operation, why: string): void;
  /** Records that the operation cannot be tested at all, and why. */
  leaveOut(operation: Operation, why: string): void;
  /** Records that requests of the operation are left out on purpose. The run can still be complete. */
  exempt(operation: Operation): void;
  /** Whether each valid request so far got 403, or a 401 that shows a missing right. */
  isForbidden(operation: Operation): boolean;
  /** The operations that do not count as tested. `ended` says why the run stopped early, if it did. */
  untested(reports: OperationReport[], ended: string | undefined): Untested[];
  /** One note for each operation that the run's credential may not call. */
  forbidden(reports: OperationReport[]): string[];
}

interface Progress {
  operation: Operation;
  planned: Set<object>;
  statuses: Map<number, number>;
  hindrance: string | undefined;
  leftOut: string | undefined;
  exempted: boolean;
}

export function createExtent(operations: Operation[]): Extent {
  const all = new Map<string, Progress>(
    operations.map((operation) => [
      operation.id,
      { operation, planned: new Set(), statuses: new Map(), hindrance: undefined, leftOut: undefined, exempted: false },
    ]),
  );

  let planned = 0;

  function reasonAgainst(report: OperationReport, ended: string | undefined): string | undefined {
    const progress = all.get(report.operation);
    if (progress === undefined || progress.exempted) return undefined;
    const { leftOut, planned, statuses, hindrance } = progress;
    if (leftOut !== undefined) return leftOut;
    const cut = ended ?? 'the run ended before';
    if (!hasSuccess(report)) {
      if (isForbidden(progress) || isDocumentedFailure(progress, report)) return undefined;
      if (statuses.size === 0 && hindrance !== undefined) return `no valid request could be made: ${hindrance}`;
      if (planned.size > 0 && statuses.size === 0) return cut;
      return `it never succeeded: ${statusesOf(statuses.size > 0 ? statuses : seenIn(report)) || 'nothing was sent'}`;
    }
    return planned.size > 0 ? `${cut}: not all of its cases were sent` : undefined;
  }

  return {
    done() {
      const left = [...all.values()].map((progress) => progress.planned.size);
      const sum = left.reduce((total, each) => total + each, 0);
      return { operations: left.filter((each) => each === 0).length, share: planned === 0 ? 0 : 1 - sum / planned };
    },
    plan(operation, part) {
      planned++;
      all.get(operation.id)?.planned.add(part);
    },
    finished(operation, part) {
      all.get(operation.id)?.planned.delete(part);
    },
    answered(operation, status) {
      const statuses = all.get(operation.id)?.statuses;
      statuses?.set(status, (statuses.get(status) ?? 0) + 1);
    },
    lacksValidRequest(operation, why) {
      const progress = all.get(operation.id);
      if (progress) progress.hindrance ??= why;
    },
    leaveOut(operation, why) {
      const progress = all.get(operation.id);
      if (progress) progress.leftOut ??= why;
    },
    exempt(operation) {
      const progress = all.get(operation.id);
      if (progress) progress.exempted = true;
    },
    isForbidden(operation) {
      const progress = all.get(operation.id);
      return progress !== undefined && isForbidden(progress);
    },
    untested(reports, ended) {
      const found = reports.flatMap((report): Untested[] => {
        const reason = reasonAgainst(report, ended);
        return reason === undefined ? [] : [{ operation: report.operation, reason, succeeded: hasSuccess(report) }];
      });
      // If no operation succeeded at all, a 403 says nothing about the rights of the credential.
      if (found.length > 0 || reports.some(hasSuccess)) return found;
      return reports.map(({ operation, seen }) => {
        const statuses = statusesOf(new Map(Object.entries(seen)));
        return { operation, reason: `it never succeeded: ${statuses || 'nothing was sent'}`, succeeded: false };
      });
    },
    forbidden(reports) {
      return reports.flatMap((report) => {
        const progress = all.get(report.operation);
        if (!progress || hasSuccess(report) || progress.leftOut !== undefined || !isForbidden(progress)) return [];
        return [`the run's credential may not call ${report.operation}: ${statusesOf(progress.statuses)}`];
      });
    },
  };
}

/** Whether a documented 2xx or 3xx was seen; any 2xx or 3xx counts if the operation documents no answers. */
function hasSuccess({ seen, documented }: OperationReport): boolean {
  return Object.keys(seen).some(
    (status) =>
      /^[23]/.test(status) &&
      (documented.length === 0 ||
        documented.some(
          (each) => each === status || each === 'default' || each.toUpperCase() === `${status[0] ?? ''}XX`,
        )),
  );
}

/**
 * Whether each valid request got 403. A 401 counts too if the operation needs no credential, because it may take a
 * secret of its own, such as a refresh token.
 */
function isForbidden({ operation, statuses }: Progress): boolean {
  const isOpen = operation.security.length === 0 || operation.security.some((schemes) => schemes.length === 0);
  return statuses.size > 0 && [...statuses.keys()].every((status) => status === 403 || (status === 401 && isOpen));
}

/** Whether the operation documents only errors, and answered with one of them. */
function isDocumentedFailure({ statuses }: Progress, { documented }: OperationReport): boolean {
  const hasNone = documented.every((status) => /^[45]/.test(status));
  return hasNone && [...statuses.keys()].some((status) => documented.includes(String(status)));
}

function seenIn({ seen }: OperationReport): Map<string, number> {
  return new Map(Object.entries(seen));
}

function statusesOf(statuses: Map<number | string, number>): string {
  return [...statuses]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([status, times]) => `${String(status)}×${String(times)}`)
    .join(' ');
}
