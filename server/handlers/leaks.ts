import { hasCredential } from '../contract/authenticate.js';
import type { Handlers } from '../contract/contract.js';
import { ServiceError } from '../errors.js';
import { reportGitHubSecrets } from '../leaks/github/report.js';
import { reportLeak } from '../leaks/intake.js';
import { Plaintext } from '../tokens/plaintext.js';

export const leaks = {
  async reportLeakedCredentials(deps, { actor, body, raw }) {
    if (hasCredential(raw.headers)) throw new ServiceError('credential_not_allowed');
    const { credentials, source = null, url = null } = body;
    await reportLeak(deps, actor, { credentials: credentials.map((text) => new Plaintext(text)), source, url });
    return { body: { status: 'accepted' } };
  },

  async reportGitHubSecrets(deps, { actor, body, bytes, raw }) {
    const signed = {
      bytes,
      keyIdentifier: String(raw.headers['github-public-key-identifier']),
      signature: String(raw.headers['github-public-key-signature']),
    };
    const secrets = body.map(({ token, type, url, source }) => ({
      plaintext: new Plaintext(token),
      type,
      url: url ?? null,
      source: source ?? null,
    }));
    const labels = await reportGitHubSecrets(deps, actor, signed, secrets);
    return {
      body: labels.map(({ sha256, type, isKnown }) => ({
        token_hash: sha256,
        token_type: type,
        label: isKnown ? 'true_positive' : 'false_positive',
      })),
    };
  },
} satisfies Partial<Handlers>;
