/** Whatever a run of a release may be in the middle of, this build goes on with it (test/histories/README.md): part 1 of 2. */
import { testReplays } from '../support/kept/files';

testReplays(1);
