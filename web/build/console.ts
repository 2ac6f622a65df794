import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { build, type Plugin } from 'rolldown';

const FOLDER = 'web/console';
const STYLES = ['web/theme.css', `${FOLDER}/console.css`];

/** Bundles the console for browsers, and writes it into `dist/web/console`: the page, one script, one style. */
export function consolePages(): { plugin: Plugin; modules: () => readonly string[] } {
  let modules: readonly string[] = [];
  const plugin: Plugin = {
    name: 'console',
    async generateBundle() {
      const { output } = await build({
        input: `${FOLDER}/main.tsx`,
        platform: 'browser',
        resolve: { extensionAlias: { '.js': ['.ts', '.tsx', '.js'] } },
        // JSX is as tsconfig.json says.
        transform: { target: 'es2023' },
        write: false,
        output: { format: 'esm', minify: true, comments: false },
      });
      const [chunk] = output;
      modules = chunk.moduleIds;
      const emit = (name: string, ending: string, source: string): string => {
        const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8);
        const path = `/console/assets/${name}-${hash}.${ending}`;
        this.emitFile({ type: 'asset', fileName: `web${path}`, source });
        return path;
      };
      const places = {
        script: emit('console', 'js', chunk.code),
        style: emit('console', 'css', small(STYLES.map((file) => readFileSync(file, 'utf8')).join('\n'))),
        icon: emit('icon', 'svg', readFileSync(`${FOLDER}/icon.svg`, 'utf8')),
      };
      const page = readFileSync(`${FOLDER}/index.html`, 'utf8');
      const source = page.replace(/\{\{(\w+)\}\}/g, (_, name: string) => places[name as keyof typeof places]);
      this.emitFile({ type: 'asset', fileName: 'web/console/index.html', source });
    },
  };
  return { plugin, modules: () => modules };
}

/** Removes comments and indentation. */
function small(css: string): string {
  return css.replace(/\/\*.*?\*\//gs, '').replace(/\s*\n\s*/g, '\n');
}
