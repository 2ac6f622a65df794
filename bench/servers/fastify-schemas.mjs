// @ts-check

// The schemas of openapi.yaml for these operations, in Fastify's form: Fastify makes its validators and serialisers of them.

const text = { type: 'string' };
const instant = { type: 'string' };
const instantOrNull = { type: ['string', 'null'] };
const boolean = { type: 'boolean' };
const integer = { type: 'integer' };

/** @param {Record<string, object>} properties */
function record(properties) {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

/** @param {Record<string, object>} properties */
function recordOrNull(properties) {
  return { ...record(properties), type: ['object', 'null'] };
}

const TOKEN = {
  id: text,
  name: text,
  description: text,
  metadata: { type: 'object', additionalProperties: text },
  scopes: { type: 'array', items: text },
  tokenPrefix: text,
  tokenType: text,
  createdAt: instant,
  expiresAt: instantOrNull,
  lastUsedAt: instantOrNull,
  revokedAt: instantOrNull,
  disabled: boolean,
  previousSecret: recordOrNull({ tokenPrefix: text, validUntil: instant, lastUsedAt: instantOrNull }),
};

const organization = record({ id: text, name: text, slug: text, tenantStatus: text });
const token = record(TOKEN);

export const answers = {
  token,
  page: record({ items: { type: 'array', items: token }, nextCursor: { type: ['string', 'null'] } }),
  issued: record({ plaintext: text, token }),
  verification: record({
    valid: boolean,
    code: text,
    token: recordOrNull(TOKEN),
    owner: recordOrNull({
      id: integer,
      kind: text,
      externalId: { type: ['string', 'null'] },
      email: text,
      fullName: text,
      metadata: { type: 'object', additionalProperties: true },
      organizationId: text,
    }),
  }),
  me: record({
    session: record({
      authMethod: text,
      organization,
      organizationId: text,
      sessionId: { type: ['string', 'null'] },
      tokenType: text,
    }),
    user: record({
      id: integer,
      email: text,
      emailVerified: boolean,
      fullName: text,
      isAdmin: boolean,
      createdAt: instant,
    }),
  }),
};

export const parameters = {
  token: record({ token_id: { type: 'string', pattern: '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' } }),
  page: {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
      cursor: { type: 'string', minLength: 1, maxLength: 2_048 },
    },
  },
};

export const bodies = {
  question: record({ token: { type: 'string', minLength: 1, maxLength: 255 } }),
  wish: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 255 },
      description: { type: 'string', maxLength: 1_024 },
      metadata: { type: 'object', additionalProperties: { type: 'string', maxLength: 256 } },
      expiresInDays: { type: ['integer', 'null'], minimum: 1, maximum: 365 },
    },
  },
};
