/** What a rolling upgrade spares: the same packages on the same cluster, by plain apt-get. `demo -- xroad --compare` shows both. */
import { aptInstall, startXRoadLab, type XRoadLab } from '../lab';
import { describeLab } from '../lab/describe-lab';

jest.setTimeout(600_000);

describeLab('an X-Road cluster upgraded by plain apt-get, node after node', () => {
  let lab: XRoadLab;
  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5 });
  }, 900_000);
  afterAll(() => lab?.down());

  it('fails messages of 200 a second', async () => {
    const traffic = await lab.startTraffic();
    for (const node of lab.description.roles.nodes) {
      await aptInstall(lab, node, '7.8.0-1');
      await lab.waitServing([node]);
    }
    expect((await traffic.stop()).failed).toBeGreaterThan(100);
  });
});
