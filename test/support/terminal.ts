import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** Python opens the terminal: Node cannot, and a native module would have to be compiled. */
const PYTHON = 'python3';
export const hasTerminal = spawnSync(PYTHON, ['-c', 'import pty, termios, fcntl']).status === 0;

/** Runs a command on a new terminal: waits for each text in turn, types its answer, and prints the result as JSON. */
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
  /** Standard output and standard error together, as a terminal shows them. */
  output: string;
  /** Whether the terminal's echo was off during one of the `turns`. */
  raw: boolean;
  /** Whether echo and line editing were on again after the end. */
  restored: boolean;
}

interface Options {
  env?: Record<string, string>;
  columns?: number;
  /** The texts to wait for, each with the text to type then. */
  turns?: [wait: string, type: string][];
}

/** Runs `latchkey` on a new terminal. Of this process's environment, it gets only `PATH`. */
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
