import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Whether this machine has strace and lets it watch a process. */
export const hasStrace = succeeds('strace', ['-q', '-o', '/dev/null', 'true']);

/** Whether it may come to a process that runs already and is not its child. */
export const canAttach =
  hasStrace && succeeds('sh', ['-c', 'sleep 0.2 & strace -q -o /dev/null -e trace=fsync -p "$!"']);

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A system call, its instants in seconds. */
export interface Call {
  name: string;
  /** Its arguments as strace writes them. */
  text: string;
  result: string;
  startedAt: number;
  endedAt: number;
}

/** The prefix that runs a command and writes its calls to `trace`, with the paths of their files and 5000 bytes of what they carry. */
export function tracing(calls: readonly string[], trace: string): string[] {
  return ['strace', '-D', '-f', '-q', '-ttt', '-T', '-y', '-s', '5000', '-e', `trace=${calls.join(',')}`, '-o', trace];
}

/** The calls of `trace`, in the order in which they began. */
export function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, Call>();
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, process = '', instant = '', rest = ''] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed !== null) {
      const call = unfinished.get(process);
      unfinished.delete(process);
      if (call !== undefined) finish(call, call.text + (resumed[2] ?? ''), Number(instant));
      continue;
    }
    const [, name, text = ''] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    if (name === undefined) continue;
    const call: Call = { name, text, result: '', startedAt: Number(instant), endedAt: Number.POSITIVE_INFINITY };
    calls.push(call);
    if (text.endsWith('<unfinished ...>')) {
      call.text = text.slice(0, -'<unfinished ...>'.length);
      unfinished.set(process, call);
    } else finish(call, text, Number(instant));
  }
  return calls;
}

/** `-T` puts a call's duration at the end of its line; a resumed one ends when it says so. */
function finish(call: Call, text: string, instant: number): void {
  const [, args = text, result = '', duration = '0'] = /^(.*)\) += (.*?)(?: <([\d.]+)>)?$/s.exec(text) ?? [];
  const lasted = instant === call.startedAt ? Number(duration) : 0;
  Object.assign(call, { text: args, result, endedAt: instant + lasted });
}

/** From now until the function that it gives is called, `calls` of the process to the files of the database fail with `error`. */
export async function failing(
  { pid }: { pid?: number | undefined },
  calls: string,
  error: string,
  database: string,
): Promise<() => Promise<void>> {
  const paths = ['', '-wal'].flatMap((ending) => ['-P', database + ending]);
  const child = spawn(
    'strace',
    [
      '-f',
      '-p',
      String(pid),
      '-e',
      `trace=${calls}`,
      '-e',
      `inject=${calls}:error=${error}`,
      ...paths,
      '-o',
      '/dev/null',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await once(child.stderr, 'data');
  child.stderr.resume();
  return async () => {
    child.kill('SIGINT');
    await once(child, 'close');
  };
}
