/** Files that go out of a device and come in: configurations, device state, software images (facts §5). */
import { createTar } from './tar';
import type { SimulatedDevice } from './device';
import { fromXml, render, type ConfigNode } from './config/tree';
import { badRequest, download, failure, successMessage, type ApiReply, type ApiRequest } from './wire';
import { parseRoot } from './xml';

const DECLARATION = '<?xml version="1.0"?>\n';

/** The tar archive of a configuration costs more than the rest of an upgrade: made once for each. */
const archives = new WeakMap<ConfigNode, Buffer>();

export function exportFile(device: SimulatedDevice, params: ApiRequest['params']): ApiReply {
  const category = params.get('category');
  const from = params.get('from');
  if (category === 'configuration') {
    const config = from === null ? device.config.running : device.config.saved.get(from);
    if (config === undefined) return failure(7, `${from ?? ''} does not exist`);
    return download(from ?? 'running-config.xml', `${DECLARATION}${render(config)}\n`);
  }
  if (category === 'device-state') return download('device_state_cfg.tgz', deviceState(device));
  return category === null
    ? badRequest('Missing value for parameter "category".')
    : badRequest(`Illegal value for parameter "category" [${category}].`);
}

function deviceState({ config: { running } }: SimulatedDevice): Buffer {
  const made =
    archives.get(running) ?? createTar([{ name: 'running-config.xml', content: `${DECLARATION}${render(running)}\n` }]);
  archives.set(running, made);
  return made;
}

export function importFile(device: SimulatedDevice, params: ApiRequest['params'], file: ApiRequest['file']): ApiReply {
  const category = params.get('category');
  switch (category) {
    case 'software':
      return device.software.import(file);
    case 'configuration':
      return importConfiguration(device, file);
    case null:
      return badRequest('Missing value for parameter "category".');
    default:
      return badRequest(`Illegal value for parameter "category" [${category}].`);
  }
}

function importConfiguration(device: SimulatedDevice, file: ApiRequest['file']): ApiReply {
  const root = file === undefined ? undefined : parseRoot(file.content.toString());
  if (file === undefined || root?.name !== 'config') return failure(12, 'The file is no configuration');
  device.config.saved.set(file.name, fromXml(root));
  return successMessage(`${file.name} saved`);
}
