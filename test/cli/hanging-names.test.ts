import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createWebhook } from '../../generated/index.js';
import { logInTo, newFolder, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';

/** In place of the system's function: names that end in `.test` take longer than a stop may. */
const SLOW_NAMES = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  if (node && strlen(node) > 5 && !strcmp(node + strlen(node) - 5, ".test")) { sleep(25); return EAI_AGAIN; }
  int (*usual)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  return usual(node, service, hints, found);
}
`;

const hasCompiler = process.platform === 'linux' && succeeds('cc', ['--version']);

test.skipIf(!hasCompiler)('a stop does not wait for names that no server resolves', { timeout: 40_000 }, async () => {
  const folder = await newFolder();
  const [source, library] = [join(folder, 'names.c'), join(folder, 'names.so')];
  writeFileSync(source, SLOW_NAMES);
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  const { url, child, finished } = await serveDatabase(join(folder, 'latchkey.db'), { LD_PRELOAD: library });
  const { client } = await logInTo(url);
  // The service looks the name up, and answers before it knows.
  await answered(createWebhook({ client, body: { url: 'https://hooks.test/latchkey' } }));
  const start = performance.now();
  child.kill('SIGTERM');
  expect(await finished).toMatchObject({ code: null, stderr: expect.not.stringContaining('cleanly') as string });
  expect(child.signalCode).toBe('SIGTERM');
  expect(performance.now() - start).toBeLessThan(10_000);
});

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
