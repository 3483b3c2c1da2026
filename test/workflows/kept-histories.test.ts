import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { payloadConverterPath, workflowBundle } from '../../worker/bundle';

const directory = join(__dirname, '../histories');
const kept = readdirSync(directory).filter((name) => name.endsWith('.json'));

it('at least one history is kept', () => expect(kept.length).toBeGreaterThan(0));

it.each(kept)('this build replays %s', async (name) => {
  const history = historyFromJSON(JSON.parse(readFileSync(join(directory, name), 'utf8')));
  const results = Worker.runReplayHistories(
    { workflowBundle: await workflowBundle(), dataConverter: { payloadConverterPath } },
    [{ workflowId: 'upgrade-fw-dc1', history }],
  );
  for await (const { error } of results) expect(error).toBeUndefined();
});
