/**
 * What the inventory says of a PAN-OS HA pair: how its devices are reached, and how it is upgraded. References to secrets,
 * never secrets. Durations are milliseconds once parsed; parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { duration } from '../kit/duration';
import { hostAddress, secretReference } from '../ssh/spec';
import { readinessChecksSpec, thresholdsSpec } from './readiness/spec';
import { parseRelease } from './releases';

export const release = z.string().refine((text) => parseRelease(text) !== undefined, {
  error: 'a PAN-OS release such as 10.2.9 or 10.2.9-h4',
});
const workerPath = z
  .string()
  .regex(/^(\/|~\/)\S/, { error: 'an absolute path on the worker, or one that starts with ~/' });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: '64 hexadecimal digits, as sha256sum prints them' });

const tls = z.union(
  [
    z.strictObject({
      fingerprint: z
        .string()
        .regex(/^(sha-?256[:/])?([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, {
          error: 'a SHA-256 fingerprint, with or without colons',
        })
        .describe('SHA-256 fingerprint of the certificate that the device shows'),
    }),
    z.strictObject({
      ca: workerPath.describe('PEM file on the worker with the certificate authority of the device’s certificate'),
      serverName: z.string().min(1).optional().describe('name in the certificate, where the address isn’t in it'),
    }),
  ],
  { error: '{fingerprint: "AA:BB:…"} or {ca: /path/on/the/worker.pem}' },
);

/** Where the XML API answers, unless the inventory says otherwise. */
export const API_PORT = 443;

export const panosNode = z.strictObject({
  address: hostAddress.describe('management address of this device itself, not of Panorama and not a floating one'),
  port: z.int().min(1).max(65_535).default(API_PORT).describe('TCP port of its XML API'),
  tls: tls.describe('how its certificate is verified: pinned by fingerprint, or by a CA'),
  user: z.string().min(1).max(128).describe('administrator with the right to use the XML API'),
  password: secretReference.describe(
    'password of that user; the worker fetches an API key with it and keeps the key in memory',
  ),
});
export type PanosNode = z.output<typeof panosNode>;

const image = z.strictObject({
  file: workerPath.describe('the image, as downloaded from the vendor; its name must be the vendor’s'),
  sha256: sha256.describe('its checksum'),
});

const timing = z.strictObject({
  pollMs: duration().default(5_000).describe('time between two questions to a device while something is waited for'),
  callTimeoutMs: duration()
    .default(120_000)
    .describe(
      'how long a device may take to answer one question: for lists of the update server, and for large tables, it needs long',
    ),
  stateTimeoutMs: duration()
    .default(120_000)
    .describe('how long a change of the HA state may take to be seen on both devices'),
  rejoinTimeoutMs: duration()
    .default(900_000)
    .describe(
      'how long a device may take to be passive or active-secondary again, session synchronization included; the tentative hold time comes on top',
    ),
  settledLooks: z
    .int()
    .min(1)
    .default(3)
    .describe('so many looks in a row must show the same good state before it counts'),
  bootTimeoutMs: duration()
    .default(2_700_000)
    .describe('how long a restart may take until the device is ready: large chassis need half an hour'),
  downloadTimeoutMs: duration()
    .default(3_600_000)
    .describe('how long one image may take to be downloaded or imported, or a configuration to be exported'),
  installTimeoutMs: duration().default(3_600_000).describe('how long an installation may take'),
  commitTimeoutMs: duration().default(1_200_000).describe('how long a commit may take'),
  convergeTimeoutMs: duration()
    .default(120_000)
    .describe(
      'how long routing may take after a failover: within the stale time of graceful restart (120 s by default), BGP sessions must be established again',
    ),
});

export const panosSpec = z
  .strictObject({
    order: z
      .enum(['passive-first', 'active-first'])
      .default('passive-first')
      .describe(
        'which device is upgraded first. passive-first: the first failover lands on the new release. active-first: the first failover lands on the release that serves now, and the device that is active at the start is so at the end',
      ),
    failBack: z
      .boolean()
      .default(false)
      .describe('at the end, bring the roles back to what they were at the start, by one more failover where needed'),
    path: z
      .array(release)
      .optional()
      .describe(
        'releases to go through, the target last; left out, each feature release in between by its newest release',
      ),
    featureReleasesApart: z
      .int()
      .min(1)
      .max(4)
      .default(1)
      .describe(
        'how many feature releases the two devices may be apart: one that is further behind is suspended by its peer ("Peer version too old")',
      ),
    content: z
      .enum(['latest', 'keep'])
      .default('latest')
      .describe('applications and threats content that both devices get first; "keep" leaves it'),
    download: z
      .enum(['each', 'sync-to-peer'])
      .default('each')
      .describe(
        'who downloads images: each device for itself; or the one that leads, for both, where the other doesn’t reach the update server while it is passive (content must be "keep" then)',
      ),
    images: z
      .record(release, image)
      .optional()
      .describe(
        'images that the worker imports into devices without internet, by release (base images too); left out, devices download them',
      ),
    backups: workerPath
      .default('~/.local/state/hitless/backups')
      .describe(
        'directory on the worker that keeps exported configurations and device states; they hold hashes of secrets',
      ),
    readiness: readinessChecksSpec.prefault({}).describe('the checks before the upgrade, and between two hops'),
    thresholds: thresholdsSpec.prefault({}).describe('how far what is carried may differ from what was carried before'),
    timing: timing.prefault({}).describe('how long things may take'),
  })
  .refine((panos) => panos.download === 'each' || panos.content === 'keep', {
    error: 'must be "keep" with download "sync-to-peer": "latest" asks the update server from each device',
    path: ['content'],
  });
export type PanosSpec = z.output<typeof panosSpec>;
