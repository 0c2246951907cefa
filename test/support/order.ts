import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that run the whole conformance suite over real servers, or whole scenarios of faults: minutes each. */
const LONG =
  /test\/(backends\/(etcd2|zk2-conformance|zk2-native|consul)|failures\/\w+|copy\/faults\/[\w-]+|verify\/live|cli\/(freeze|doctor|looking)-\w+)\.test\.ts$/;

/** Begins with the longest files, so that they do not run alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
