import { ANSWERS } from './third/answers.js';
import { CREDENTIALS } from './third/credentials.js';
import { ERRORS } from './third/errors.js';
import { FILTERS } from './third/filters.js';
import { LISTS } from './third/lists.js';
import { LIVES } from './third/lives.js';
import { dressed, type Faults } from './third/parts.js';
import { REPETITIONS } from './third/repetitions.js';
import { REVOCATIONS } from './third/revocations.js';
import { SESSIONS } from './third/sessions.js';
import { USERS } from './third/users.js';
import { VALUES } from './third/values.js';
import { VERDICTS } from './third/verdicts.js';

// Written from the API document and the wire contract alone, by somebody who had not seen the checks.

const PLANTS: Faults = {
  ...ANSWERS,
  ...VALUES,
  ...LISTS,
  ...FILTERS,
  ...CREDENTIALS,
  ...SESSIONS,
  ...USERS,
  ...REPETITIONS,
  ...LIVES,
  ...REVOCATIONS,
  ...VERDICTS,
  ...ERRORS,
};

export const THIRD: Faults = Object.fromEntries(Object.entries(PLANTS).map(([name, plant]) => [name, dressed(plant)]));
