// @ts-check
import fastify from 'fastify';

// A bare Fastify with one route, for the comparison of start-up times.

const app = fastify();

app.get('/healthz', () => ({ status: 'ok' }));

console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
