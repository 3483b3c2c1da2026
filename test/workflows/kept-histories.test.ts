import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory, replays } from '../support/histories';

const directory = join(__dirname, '../histories');
const kept = readdirSync(directory).filter((name) => name.endsWith('.binpb.gz'));

it('at least one history is kept', () => expect(kept.length).toBeGreaterThan(0));

it.each(kept)('this build replays %s', async (name) => {
  const history = await readHistory(join(directory, name));
  const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  await replays(workflowId ?? '', history);
});
