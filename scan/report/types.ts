import type { TokenKind } from '../pattern.js';

/** One place where a token stands. */
export interface Place {
  /** The file as it was named, or found below what was named; for the history its path in the work tree. */
  file: string;
  /** Where it is in archives: the names inside, outermost first. */
  members: readonly string[];
  /** Whether line, column and offset count in what the file expands to, not in the file itself. */
  expanded: boolean;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  column: number;
  /** Bytes before the token. */
  offset: number;
  /** There where it stands in the history of a repository. */
  history?: {
    /** The commit that brought the token to this file; `null` where no commit reaches it. */
    commit: string | null;
    /** How many versions of the file hold the token. */
    versions: number;
  };
}

/** A token with all its places. Nothing that prints or serialises it shows the plaintext. */
export interface FoundToken {
  kind: TokenKind;
  brand: string;
  /** Its first 12 characters and `***`. */
  masked: string;
  /** The first 16 hexadecimal digits of its SHA-256, which is what the service keeps of it. */
  fingerprint: string;
  places: readonly Place[];
  /** What the service says of it; undefined where it was not asked. */
  state?: string;
  /** The whole token, to ask the service about it. It must not be printed. */
  plaintext: () => string;
}

export interface ScanWarning {
  /** What it is about, as `Place` names it. */
  place: string;
  message: string;
}

export interface ScanReport {
  /** By their first place. */
  tokens: FoundToken[];
  /** Tokens that were found and are on the allow list. */
  allowed: number;
  /** Places beyond those that are listed, see `MAX_PLACES`. */
  unlistedPlaces: number;
  /** Whether everything that was named could be read; a single file below a folder, or in an archive, may be a warning. */
  complete: boolean;
  /** What was named and could not be read. */
  unreadable: string[];
  warnings: ScanWarning[];
  files: number;
  /** Versions of files, commits and tags in git. */
  objects: number;
  /** Bytes searched, after expansion. */
  bytes: number;
  durationMs: number;
}

/** How far a scan is. */
export interface ScanProgress {
  phase: 'files' | 'history';
  /** Bytes read of what was named, before expansion. */
  bytes: number;
  /** Bytes there are in this phase. It may take a moment, so ask for it only when it is shown. */
  totalBytes: () => number;
  tokens: number;
  elapsedMs: number;
}

/** The place in one piece: `logs.tar.gz!app/log.1`. */
export function nameOf({ file, members }: Pick<Place, 'file' | 'members'>): string {
  return [file, ...members].join('!');
}
