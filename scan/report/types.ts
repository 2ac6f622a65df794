import type { TokenKind } from '../pattern.js';

/** A place where a token was found. */
export interface Place {
  /** Path of the file, below the path that was given; in the history, its path in the work tree. */
  file: string;
  /** Names inside archives, outermost first; empty for the file itself. */
  members: readonly string[];
  /** Whether line, column and offset refer to the expanded content instead of the file itself. */
  expanded: boolean;
  /** Line, from 1. */
  line: number;
  /** Column, from 1, in UTF-16 code units, as editors count. */
  column: number;
  /** Bytes before the token. */
  offset: number;
  /** Set if the place is in the history of a repository. */
  history?: {
    /** The commit that added the token to this file; null if no commit contains it. */
    commit: string | null;
    /** Number of versions of the file that contain the token. */
    versions: number;
  };
}

/** A token with all its places. Printing or serialising it does not show the plaintext. */
export interface FoundToken {
  kind: TokenKind;
  brand: string;
  /** Its first 12 characters and `***`. */
  masked: string;
  /** First 16 hexadecimal digits of its SHA-256, which the service stores. */
  fingerprint: string;
  places: readonly Place[];
  /** State of the token at the service; undefined if the service was not asked. */
  state?: string;
  /** Returns the whole token, to send it to the service. Do not print it. */
  plaintext: () => string;
}

export interface ScanWarning {
  /** File or archive member, in the form `logs.tar.gz!app/log.1`. */
  place: string;
  message: string;
}

export interface ScanReport {
  /** Tokens in the order of their first place. */
  tokens: FoundToken[];
  /** Number of tokens found that are on the allow list. */
  allowed: number;
  /** Number of places that are not listed, because there are more than 100000. */
  unlistedPlaces: number;
  /** Whether all given paths and histories could be read. An unreadable file in a folder or archive may be a warning only. */
  complete: boolean;
  /** Given paths that could not be read. */
  unreadable: string[];
  warnings: ScanWarning[];
  files: number;
  /** Number of git objects searched: versions of files, commits and tags. */
  objects: number;
  /** Bytes searched, after expansion. */
  bytes: number;
  durationMs: number;
}

/** Progress of a scan. */
export interface ScanProgress {
  phase: 'files' | 'history';
  /** Bytes read so far in this phase, before expansion. */
  bytes: number;
  /** Computes the bytes of this phase. It can take a moment, so call it only to display the progress. */
  totalBytes: () => number;
  tokens: number;
  elapsedMs: number;
}

/** The place as one text: `logs.tar.gz!app/log.1`. */
export function nameOf({ file, members }: Pick<Place, 'file' | 'members'>): string {
  return [file, ...members].join('!');
}
