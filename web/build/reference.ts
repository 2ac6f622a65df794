import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'rolldown';
import type { Document } from '../reference/document.js';
import { referencePage } from '../reference/page.js';

const STYLES = ['web/theme.css', 'web/reference/reference.css'];

/** Writes the reference of the API, made from the contract, into `dist/web/reference`. */
export function reference(): Plugin {
  return {
    name: 'reference',
    generateBundle() {
      const document = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as Document;
      const style = STYLES.map((file) => readFileSync(file, 'utf8')).join('\n');
      const hash = createHash('sha256').update(style).digest('base64url').slice(0, 8);
      const stylesheet = `/reference/assets/reference-${hash}.css`;
      this.emitFile({ type: 'asset', fileName: `web${stylesheet}`, source: style });
      const source = referencePage(document, stylesheet);
      this.emitFile({ type: 'asset', fileName: 'web/reference/index.html', source });
    },
  };
}
