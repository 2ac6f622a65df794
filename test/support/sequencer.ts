import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. One that began last would leave the other workers with nothing to do. */
const LONG = [
  'test/contract.test.ts',
  'test/contract/telling.test.ts',
  'test/contract/planted.test.ts',
  'test/contract/parts.test.ts',
  'test/contract/latchkey.test.ts',
  'test/contract/practices.test.ts',
  'test/cli/terminal.test.ts',
  'test/cli/users.test.ts',
  'test/cli/contract.test.ts',
  'test/cli/login.test.ts',
  'test/cli/serve-stop.test.ts',
  'test/packages.test.ts',
  'test/declarations.test.ts',
  'test/installing.test.ts',
  'test/examples.test.ts',
  'test/bench.test.ts',
  'test/overload/overload.test.ts',
  'test/workers/workers.test.ts',
  'test/database/migrations.test.ts',
  'test/database/revocation.test.ts',
  'test/durability/starts.test.ts',
  'test/durability/storage.test.ts',
  'test/postgres/copy.test.ts',
  'test/postgres/check.test.ts',
  'test/web/console-looks.test.ts',
];

/** Begins each project with its longest files. vitest knows how long files take only where they ran before. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((path) => moduleId.endsWith(`/${path}`));
      return index < 0 ? LONG.length : index;
    };
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).sort((a, b) => rank(a) - rank(b)),
    );
  }
}
