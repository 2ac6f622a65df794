import { hostname } from 'node:os';
import { type AccessToken, type IssuedAccessToken, type Latchkey, LatchkeyError, type Me } from '../../client/index.js';
import { Refused, WrongUse } from '../failure.js';
import { lookOf } from '../output/look.js';
import { relative } from '../output/moment.js';
import { note, print } from '../output/print.js';
import { toJson, visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import { checkedUrl, clientOf, explaining, type RemoteFlags } from './connection.js';
import { endToken } from './end-token.js';
import { type Profile, profileName, readProfile, variable, writeProfile } from './profiles.js';
import { readSecret } from './secret.js';

export interface LoginFlags extends RemoteFlags {
  url?: string;
  email?: string;
  passwordStdin?: boolean;
  tokenStdin?: boolean;
  expiresIn?: number | null;
}

/** Days that the token of a login lives, where neither a flag nor the operator's policy has it otherwise. */
const LIFETIME = 90;

/** Who is logged in now, and by which token. */
interface Login {
  me: Me;
  token: AccessToken;
  plaintext: string;
  made: boolean;
}

export async function login(flags: LoginFlags): Promise<void> {
  if (flags.passwordStdin === true && flags.tokenStdin === true) {
    throw new WrongUse('--password-stdin and --token-stdin exclude each other');
  }
  const name = profileName(flags.profile);
  const earlier = await readProfile(name);
  const url = await chooseUrl(flags, earlier);
  const insecureHttp = flags.insecureHttp === true || (earlier?.url === url && earlier.insecureHttp);

  // Made before anything is asked for, so that nobody types a password in vain.
  const client = clientOf(url, undefined, insecureHttp);
  const { me, token, plaintext, made } =
    flags.tokenStdin === true
      ? await withToken(url, insecureHttp)
      : await withPassword(client, url, await chooseUser(flags, earlier), flags.expiresIn, async () => {
          if (earlier !== undefined) await endEarlier(earlier);
        });
  await writeProfile(name, { url, insecureHttp, email: me.user.email, token: plaintext, tokenId: token.id, made });
  if (earlier !== undefined && earlier.tokenId !== token.id) await endEarlier(earlier);

  if (flags.json === true) print(toJson({ profile: name, url, me, token }));
  else {
    const { paint } = lookOf(flags);
    const user = paint('bold', visible(me.user.email));
    print(`logged in to ${url} as ${user} (profile ${name}); the login ends ${ending(token)}`);
  }
}

function ending({ expiresAt }: AccessToken): string {
  return expiresAt === null ? 'with logout' : relative(expiresAt);
}

async function chooseUrl({ url }: LoginFlags, earlier: Profile | undefined): Promise<string> {
  const known = url ?? variable('LATCHKEY_URL') ?? earlier?.url;
  return checkedUrl(known ?? (await ask('URL of the service: ', '--url must say which service to log in to')).trim());
}

async function chooseUser(
  { email: flag, passwordStdin = false }: LoginFlags,
  earlier: Profile | undefined,
): Promise<{ username: string; password: string }> {
  const username = flag ?? earlier?.email ?? (await ask('e-mail: ', '--email must say who logs in')).trim();
  if (!passwordStdin && !canAsk()) {
    throw new WrongUse('there is no terminal to ask for the password: use --password-stdin or --token-stdin');
  }
  return { username, password: await readSecret(`password of ${visible(username)}: `, 'password') };
}

/** A token that the user has already; it is theirs, and logging out does not end it. */
async function withToken(url: string, insecureHttp: boolean): Promise<Login> {
  const plaintext = await readSecret('token: ', 'token');
  const client = clientOf(url, plaintext, insecureHttp);
  return await explaining({ url, unauthorized: 'the token opens nothing: nothing is kept' }, async () => {
    const me = await client.getMe();
    const token = await client.getCurrentAccessToken();
    if (token.tokenType !== 'pat') throw new WrongUse('this is the token of a session: use a personal access token');
    return { me, token, plaintext, made: false };
  });
}

/** A session for as long as it takes to make a token for this command. */
async function withPassword(
  client: Latchkey,
  url: string,
  credentials: { username: string; password: string },
  lifetime: number | null | undefined,
  makeRoom: () => Promise<void>,
): Promise<Login> {
  return await explaining({ url }, async () => {
    await client.logIn(credentials);
    try {
      const me = await client.getMe();
      const { token, plaintext } = await issue(client, lifetime, makeRoom);
      return { me, token, plaintext, made: true };
    } finally {
      await client.logOut().catch(() => {
        note('latchkey: the session of this login could not be ended; it ends by itself');
      });
    }
  });
}

/** Makes the token; where the owner may have no more of them, after `makeRoom`. */
async function issue(
  client: Latchkey,
  lifetime: number | null | undefined,
  makeRoom: () => Promise<void>,
): Promise<IssuedAccessToken> {
  const create = (expiry: { expiresInDays?: number | null }) =>
    client.createAccessToken({
      body: { name: `latchkey cli on ${visible(hostname())}`, description: 'Made by latchkey login.', ...expiry },
    });
  const createFitting = async () => {
    if (lifetime !== undefined) return await create({ expiresInDays: lifetime });
    try {
      return await create({ expiresInDays: LIFETIME });
    } catch (error) {
      const isTooLong = error instanceof LatchkeyError && error.problems.some(({ field }) => field === 'expiresInDays');
      if (!isTooLong) throw error;
      // The operator allows less than what nobody has asked for: then it is what the policy gives.
      return await create({});
    }
  };
  try {
    return await createFitting();
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'token_limit_reached') throw error;
    await makeRoom();
    return await createFitting();
  }
}

async function endEarlier(earlier: Profile): Promise<void> {
  try {
    await endToken(earlier);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof WrongUse)) throw error;
    note(`latchkey: the token of the earlier login to ${earlier.url} still serves: ${error.message}`);
  }
}
