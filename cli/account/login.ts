import { hostname } from 'node:os';
import type { Latchkey, Me } from '../../client/index.js';
import { Failure, WrongUse } from '../failure.js';
import { lookOf } from '../output/look.js';
import { note, printOnce, requireOutput } from '../output/print.js';
import { toJson, visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import { variable } from '../variables.js';
import type { RemoteFlags } from './connection.js';
import { changeProfile, type Profile, profileName, readProfile } from './profiles.js';
import { readSecret } from './secret.js';
import { checkedUrl, clientOf, explaining } from './service.js';
import { endSession } from './session.js';
import { userName } from './user-name.js';

export interface LoginFlags extends RemoteFlags {
  url?: string;
  email?: string;
  passwordStdin?: boolean;
  tokenStdin?: boolean;
}

/** A successful login: the user and the token. */
interface Login {
  me: Me;
  tokenId: string;
  token: string;
  refreshToken: string | null;
}

export async function login(flags: LoginFlags): Promise<void> {
  if (flags.passwordStdin === true && flags.tokenStdin === true) {
    throw new WrongUse('--password-stdin and --token-stdin exclude each other');
  }
  requireOutput();
  const name = profileName(flags.profile);
  const earlier = await readProfile(name);
  const url = await chooseUrl(flags, earlier);
  const insecureHttp = flags.insecureHttp === true || (earlier?.url === url && earlier.insecureHttp);
  // The URL is validated before the user is asked for a password.
  const client = clientOf(url, undefined, insecureHttp);

  const { me, ...kept } =
    flags.tokenStdin === true
      ? await withToken(url, insecureHttp)
      : await withPassword(client, url, await chooseUser(flags, earlier));
  if (earlier !== undefined && earlier.tokenId !== kept.tokenId) await endEarlier(earlier);
  await changeProfile(name, () => Promise.resolve({ url, insecureHttp, email: me.user.email ?? '', ...kept }));

  const shown =
    flags.json === true
      ? toJson({ profile: name, url, me })
      : `logged in to ${url} as ${lookOf(flags).paint('bold', visible(userName(me.user)))} (profile ${name})`;
  await printOnce(shown, `profile ${name} is logged in to ${url}; to undo it: latchkey logout --profile ${name}`);
}

async function chooseUrl({ url }: LoginFlags, earlier: Profile | undefined): Promise<string> {
  const known = url ?? variable('LATCHKEY_URL') ?? earlier?.url;
  return checkedUrl(
    known ?? (await ask('URL of the service: ', '--url must be the URL of the service to log in to')).trim(),
  );
}

async function chooseUser(
  { email: flag, passwordStdin = false }: LoginFlags,
  earlier: Profile | undefined,
): Promise<{ username: string; password: string }> {
  const username =
    flag ?? (earlier?.email || (await ask('e-mail: ', '--email must be the e-mail of the user who logs in')).trim());
  if (!passwordStdin && !canAsk()) {
    throw new WrongUse('there is no terminal to ask for the password: use --password-stdin or --token-stdin');
  }
  return { username, password: await readSecret(`password of ${visible(username)}: `, 'password') };
}

/** Logs in with an existing personal access token, which logging out does not revoke. */
async function withToken(url: string, insecureHttp: boolean): Promise<Login> {
  const token = await readSecret('token: ', 'token');
  const client = clientOf(url, token, insecureHttp);
  return await explaining({ url, unauthorized: 'the token is not valid and was not stored' }, async () => {
    const me = await client.getMe();
    const { id, tokenType } = await client.getCurrentAccessToken();
    if (tokenType !== 'pat') throw new WrongUse('this is a session token: use a personal access token');
    return { me, tokenId: id, token, refreshToken: null };
  });
}

async function withPassword(
  client: Latchkey,
  url: string,
  credentials: { username: string; password: string },
): Promise<Login> {
  return await explaining({ url }, async () => {
    const { access_token: token, refresh_token: refreshToken } = await client.logIn(credentials);
    const { id: tokenId } = await client.getCurrentAccessToken();
    // Its name in the owner's list of sessions.
    const name = `latchkey on ${visible(hostname()).slice(0, 200)}`;
    await client.updateAccessToken({ path: { token_id: tokenId }, body: { name } });
    return { me: await client.getMe(), tokenId, token, refreshToken };
  });
}

async function endEarlier(earlier: Profile): Promise<void> {
  try {
    await endSession(earlier);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    note(`latchkey: the earlier login to ${earlier.url} could not be ended: ${error.message}`);
  }
}
