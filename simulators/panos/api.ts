/** The XML API of one device: who asks, for which kind of request, and which part answers (facts §5). */
import type { SimulatedDevice } from './device';
import { commit, configRequest } from './config/requests';
import { exportFile, importFile } from './files';
import { operate } from './operations';
import { commandPath } from './reads/command';
import { badRequest, forbidden, success, type ApiReply, type ApiRequest } from './wire';
import { leaf, parseCommand } from './xml';

/** What the request is called where faults name it, as "request system software install" or "config set". */
export function operationOf({ params }: ApiRequest): string {
  const type = params.get('type') ?? '';
  if (type === 'op') {
    const command = parseCommand(params.get('cmd') ?? '');
    return command === undefined ? 'op' : commandPath(command).path.replaceAll('/', ' ');
  }
  if (type === 'config') return `config ${params.get('action') ?? ''}`;
  if (type === 'export' || type === 'import') return `${type} ${params.get('category') ?? ''}`;
  return type;
}

export function answerRequest(device: SimulatedDevice, request: ApiRequest): ApiReply {
  const { params } = request;
  // While it boots, nobody's credentials are good: they aren't known yet.
  if (device.phase === 'starting') return forbidden();
  const type = params.get('type');
  if (type === null) return badRequest('Missing value for parameter "type".');
  if (type === 'keygen') {
    const key = device.auth.keygen(params.get('user'), params.get('password'));
    return key === undefined ? forbidden() : success(leaf('key', key));
  }
  const user = device.auth.user(request);
  if (user === undefined) return forbidden();
  switch (type) {
    case 'op':
      return operate(device, params.get('cmd'), user);
    case 'config':
      return configRequest(device, params, user);
    case 'commit':
      return commit(device, params.get('cmd'), user);
    case 'version':
      return version(device);
    case 'export':
      return exportFile(device, params);
    case 'import':
      return importFile(device, params, request.file);
    default:
      return badRequest(`Illegal value for parameter "type" [${type}].`);
  }
}

const version = ({ software, options, own }: SimulatedDevice): ApiReply =>
  success(
    leaf('sw-version', software.running) +
      leaf('multi-vsys', 'off') +
      leaf('model', options.model) +
      leaf('serial', own.serial),
  );
