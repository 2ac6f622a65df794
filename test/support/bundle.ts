import { join } from 'node:path';
import { build } from 'rolldown';

/** Bundles a module with this text for browsers, as an application does, and returns the minified code. */
export async function bundle(text: string): Promise<string> {
  const entry = join(process.cwd(), 'entry.js');
  const { output } = await build({
    input: entry,
    plugins: [
      { name: 'entry', load: (id) => (id === entry ? text : null), resolveId: (id) => (id === entry ? id : null) },
    ],
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    output: { format: 'esm', minify: true },
  });
  return output
    .map((file) => (file.type === 'chunk' ? file.code : ''))
    .join('')
    .trim();
}
