import { describeLab } from '../../lab/describe-lab';
import { apt } from './kit/apt';
import { dnf } from './kit/dnf';
import { packagesThereAndBack } from './kit/exchange';
import type { Platform } from './kit/platform';

jest.setTimeout(180_000);

const platforms: [string, Platform][] = [
  ['apt', apt],
  ['dnf', dnf],
];
describeLab.each(platforms)('packages of a node by %s, there and back', (_, platform) =>
  packagesThereAndBack(platform),
);
