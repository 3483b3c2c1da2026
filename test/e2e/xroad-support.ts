/** Whole upgrades of an X-Road cluster on the lab. */
import { writeFile } from 'node:fs/promises';
import { xroadInventoryOf, type XRoadInventoryOptions } from '../../demo/xroad-inventory';
import { startXRoadLab, type XRoadLab, type XRoadOptions } from '../lab';
import { AnySite, breakGround } from './support';

export class XRoadSite extends AnySite<XRoadLab> {
  readonly cluster = 'ss-prod';
  readonly kind = 'x-road-cluster';

  static async start(options: XRoadOptions = {}): Promise<XRoadSite> {
    return new XRoadSite(await breakGround((told) => startXRoadLab(options, told)));
  }

  async writeInventory(options: XRoadInventoryOptions = {}): Promise<void> {
    await writeFile(this.inventoryPath, xroadInventoryOf(this.lab.description, { cluster: this.cluster, ...options }));
  }

  /** Versions of X-Road's packages on a node: one, where all are alike. */
  async release(node: string): Promise<string> {
    const text = await this.lab.host(node).exec("dpkg-query -W -f '${Version}\\n' 'xroad-*' | sort -u");
    return text.trim().split('\n').join(' ');
  }
}
