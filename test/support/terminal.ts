import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** What makes a terminal; Node has nothing for it, and native modules would have to be compiled. */
const PYTHON = 'python3';
export const hasTerminal = spawnSync(PYTHON, ['-c', 'import pty, termios, fcntl']).status === 0;

/** Runs a command on a new terminal: waits for each text in turn, types the answer to it, and tells how it all ended. */
const PROGRAM = `
import fcntl, json, os, pty, select, struct, sys, termios, time

wish = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, wish['columns'], 0, 0))
    os.execve(wish['command'][0], wish['command'], wish['env'])

output, seen, turns, raw = b'', 0, list(wish['turns']), False
deadline = time.time() + 25
while time.time() < deadline:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            some = os.read(terminal, 65536)
        except OSError:
            break
        if not some:
            break
        output += some
    if turns and turns[0][0].encode() in output[seen:]:
        time.sleep(0.3)
        raw = raw or not termios.tcgetattr(terminal)[3] & termios.ECHO
        seen = len(output)
        os.write(terminal, turns.pop(0)[1].encode())
_, status = os.waitpid(child, 0)
flags = termios.tcgetattr(terminal)[3]
restored = bool(flags & termios.ECHO) and bool(flags & termios.ICANON)
print(json.dumps({'code': os.waitstatus_to_exitcode(status), 'output': output.decode(), 'raw': raw, 'restored': restored}))
`;

export interface OnTerminal {
  code: number;
  /** Standard output and standard error, as they come together on a terminal. */
  output: string;
  /** Whether the terminal echoed nothing while something was asked. */
  raw: boolean;
  /** Whether it echoes, and edits lines, after the end. */
  restored: boolean;
}

interface Options {
  env?: Record<string, string>;
  columns?: number;
  /** What to wait for, and what to type then. */
  turns?: [wait: string, type: string][];
}

/** Runs `latchkey` on a terminal of its own, and with nothing of this environment but the path. */
export async function latchkeyOnTerminal(args: string[], options: Options = {}): Promise<OnTerminal> {
  return await onTerminal([process.execPath, resolve('dist/cli/main.js'), ...args], options);
}

export async function onTerminal(
  command: string[],
  { env = {}, columns = 100, turns = [] }: Options = {},
): Promise<OnTerminal> {
  const wish = { command, columns, turns, env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...env } };
  const child = spawn(PYTHON, ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(wish));
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const ended = JSON.parse(output) as OnTerminal;
  return { ...ended, output: ended.output.replaceAll('\r\n', '\n') };
}
