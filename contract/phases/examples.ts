import { createCaseSender } from '../case-sender.js';
import type { Context } from '../context.js';
import type { Operation } from '../document/model.js';

/** Sends the examples of the document: each body, and each parameter on its own. */
export async function runExamples(context: Context, operation: Operation): Promise<void> {
  const sender = await createCaseSender(context, operation, 'examples');
  if (sender === undefined) return;
  for (const { name, value } of operation.body?.examples ?? []) {
    await sender.send({ name: `the example ${name}` }, (base) => ({ ...base, body: value }));
  }
  for (const parameter of operation.parameters) {
    if (parameter.in === 'path') continue;
    for (const value of parameter.examples) {
      await sender.send({ name: `the example of ${parameter.name}` }, (base) => ({
        ...base,
        [parameter.in]: { ...base[parameter.in], [parameter.name]: value },
      }));
    }
  }
}
