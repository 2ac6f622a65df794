import type { Command } from 'commander';
import type { RemoteFlags } from './connection.js';
import { addRemoteFlags } from './flags.js';
import type { LoginFlags } from './login.js';
import type { LogoutFlags } from './logout.js';

export function addAccount(program: Command): void {
  addRemoteFlags(
    program
      .command('login')
      .description('Log in to a service. The session is refreshed while you use it, until logout.')
      .option('--url <address>', 'URL of the service (LATCHKEY_URL, or that of the last login)')
      .option('--email <address>', 'e-mail of the user (asked for on a terminal, as is the password)')
      .option('--password-stdin', 'read the password from the first line of standard input')
      .option('--token-stdin', 'store a personal access token instead, read from the first line of standard input'),
  )
    .addHelpText(
      'after',
      `
Examples:
  latchkey login --url https://tokens.example.org
  latchkey login --url https://tokens.example.org --profile work --token-stdin < token.txt
  printf '%s' "$PASSWORD" | latchkey login --url http://127.0.0.1:8080 --email ada@example.org --password-stdin`,
    )
    .action(async (flags: LoginFlags) => {
      const { login } = await import('./login.js');
      await login(flags);
    });

  addRemoteFlags(
    program
      .command('logout')
      .description('End the session of the login and remove it from this machine.')
      .option('--forget', 'only remove it from this machine, without asking the service'),
  ).action(async (flags: LogoutFlags) => {
    const { logout } = await import('./logout.js');
    await logout(flags);
  });

  addRemoteFlags(
    program.command('whoami').description('Show the user, the organization, the service and the token in use.'),
  ).action(async (flags: RemoteFlags) => {
    const { whoAmI } = await import('./whoami.js');
    await whoAmI(flags);
  });
}
