import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const COMMAND = 'dist/cli/main.js';

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `latchkey` to its end with nothing of this environment but the path. */
export async function latchkey(args: string[], { env = {}, input = '' }: RunOptions = {}): Promise<Finished> {
  const process = start(args, env);
  process.child.stdin?.end(input);
  return await process.finished;
}

interface RunOptions {
  env?: Record<string, string>;
  input?: string;
}

export interface Serving {
  url: string;
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  finished: Promise<Finished>;
}

/** Runs `latchkey serve` on a free port until the test ends, and resolves when it listens. */
export async function serve(env: Record<string, string>, args: string[] = []): Promise<Serving> {
  const process = start(['serve', ...args], { LATCHKEY_PORT: '0', ...env });
  const url = await new Promise<string>((resolve, reject) => {
    process.child.stdout?.on('data', () => {
      const [, address] = /^latchkey listening on (\S+)$/m.exec(process.output.stdout) ?? [];
      if (address !== undefined) resolve(address);
    });
    void process.finished.then(({ code, stderr }) => {
      reject(new Error(`serve ended with ${String(code)}: ${stderr}`));
    });
  });
  return { url, ...process };
}

function start(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const finished = once(child, 'close').then(([code]): Finished => ({ code: code as number | null, ...output }));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, output, finished };
}
