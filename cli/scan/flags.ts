import type { Tool } from '../../scan/index.js';
import type { RemoteFlags } from '../account/connection.js';

export interface ScanFlags extends Pick<RemoteFlags, 'profile' | 'insecureHttp'> {
  brand?: string[];
  history?: boolean;
  allow?: string[];
  maxExpanded?: string;
  json?: boolean;
  sarif?: boolean;
  output?: string;
  check?: boolean;
  revoke?: boolean;
  yes?: boolean;
  printPatterns?: Tool;
}
