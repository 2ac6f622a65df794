import { Argument, type Command } from 'commander';
import type { Shell } from './scripts.js';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print the script that lets a shell complete this command.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  echo 'source <(latchkey completion bash)' >> ~/.bashrc
  echo 'source <(latchkey completion zsh)' >> ~/.zshrc     # after compinit
  latchkey completion fish > ~/.config/fish/completions/latchkey.fish`,
    )
    .action(async (shell: Shell) => {
      const { scriptFor } = await import('./scripts.js');
      process.stdout.write(scriptFor(shell));
    });

  // The scripts call this at each Tab. The last word is the one being typed.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const { candidatesFor } = await import('./candidates.js');
      process.stdout.write((await candidatesFor(program, words)).map((line) => `${line}\n`).join(''));
    });
}
