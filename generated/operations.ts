// This file is auto-generated from openapi.yaml by scripts/generate-operations.mjs

/** Operations that need no credential. */
export const OPEN = ['reportLeakedCredentials', 'reportGitHubSecrets', 'logIn', 'refreshSession', 'openBrowserSession', 'refreshBrowserSession', 'getHealth', 'getReadiness', 'getOpenApiJson', 'getOpenApiYaml'] as const;

/** The query parameters of each operation that have a default, so that a handler always gets them. */
export const DEFAULTED = {
  listPrivateTokens: ['ordering', 'q', 'page', 'page_size'],
  listAccessTokens: ['includeRevoked', 'sort', 'limit'],
  revokeAllAccessTokens: ['exclude_current'],
  listAccessTokenEvents: ['limit'],
  listUsers: ['limit'],
  listAuditEvents: ['limit'],
  exportAuditEvents: ['after', 'limit', 'format'],
  listWebhooks: ['limit'],
  listWebhookDeliveries: ['limit'],
  listServices: ['limit'],
} as const;

/** The request headers that are parameters of an operation, in lower case. */
export const HEADERS = ['idempotency-key', 'if-match', 'last-event-id', 'github-public-key-identifier', 'github-public-key-signature'] as const;
