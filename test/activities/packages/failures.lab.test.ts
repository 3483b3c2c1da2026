import { describeLab } from '../../lab/describe-lab';
import { apt } from './kit/apt';
import { installationsThatGoWrong } from './kit/interrupted';
import { rebootsThatGoWrong } from './kit/reboots';
import { packagesThatCantBeHad } from './kit/unavailable';

jest.setTimeout(240_000);

describeLab('packages of apt that can’t be had', () => packagesThatCantBeHad(apt));
describeLab('installations by apt that go wrong', () => installationsThatGoWrong(apt));
describeLab('reboots that go wrong', () => rebootsThatGoWrong(apt));
