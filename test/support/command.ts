import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLatchkey } from '../../client/index.js';
import type { TestingServer, TestingServerOptions } from '../../server/index.js';
import { startLocal } from './local-server.js';
import { type Finished, latchkey, newFolder } from './process.js';

export const ADA = { email: 'ada@example.org', password: 'correct horse' };

/** A local server, and `latchkey` with a folder for its profiles. */
export interface CommandLine {
  server: TestingServer;
  /** The value of `LATCHKEY_CONFIG`. */
  folder: string;
  env: Record<string, string>;
  run(args: string[], options?: { input?: string; env?: Record<string, string> }): Promise<Finished>;
  /** Logs `ADA` in with her password. */
  logIn(profile?: string): Promise<Finished>;
  profile(name?: string): Promise<Record<string, unknown>>;
  changeProfile(change: Record<string, unknown>): Promise<void>;
}

export async function startCommandLine(options: Partial<TestingServerOptions> = {}): Promise<CommandLine> {
  const server = await startLocal(options);
  const folder = join(await newFolder(), 'config');
  const env = { LATCHKEY_CONFIG: folder };
  const pathOf = (name: string) => join(folder, 'profiles', `${name}.json`);
  const line: CommandLine = {
    server,
    folder,
    env,
    run: (args, { input = '', env: more = {} } = {}) => latchkey(args, { input, env: { ...env, ...more } }),
    logIn: (profile) =>
      line.run(
        [
          ...['login', '--url', server.url, '--email', ADA.email, '--password-stdin'],
          ...(profile === undefined ? [] : ['--profile', profile]),
        ],
        { input: `${ADA.password}\n` },
      ),
    profile: async (name = 'default') => JSON.parse(await readFile(pathOf(name), 'utf8')) as Record<string, unknown>,
    async changeProfile(change) {
      const before = await line.profile();
      await writeFile(pathOf('default'), JSON.stringify({ ...before, ...change }));
    },
  };
  return line;
}

/** A command line that is logged in as `ADA`. It writes the profile itself, which is faster than `latchkey login`. */
export async function startLoggedIn(options: Partial<TestingServerOptions> = {}): Promise<CommandLine> {
  const line = await startCommandLine(options);
  const { url } = line.server;
  const client = createLatchkey({ baseUrl: url });
  const session = await client.logIn({ username: ADA.email, password: ADA.password });
  const { id: tokenId } = await client.getCurrentAccessToken();
  const { access_token: token, refresh_token: refreshToken } = session;
  await mkdir(join(line.folder, 'profiles'), { recursive: true, mode: 0o700 });
  const profile = { url, insecureHttp: false, email: ADA.email, tokenId, token, refreshToken };
  await writeFile(join(line.folder, 'profiles', 'default.json'), JSON.stringify(profile), { mode: 0o600 });
  return line;
}
