import { describeLab } from '../../lab/describe-lab';
import { dnf } from './kit/dnf';
import { installationsThatGoWrong } from './kit/interrupted';
import { packagesThatCantBeHad } from './kit/unavailable';

jest.setTimeout(240_000);

describeLab('packages of dnf that can’t be had', () => packagesThatCantBeHad(dnf));
describeLab('installations by dnf that go wrong', () => installationsThatGoWrong(dnf));
