/** Parts of the configuration that follow from facts, for whoever builds the configuration tree. */
import type { CertificateFact } from './certificates';
import type { UpdateSchedule } from './facts';
import { escapeXml, leaf, leaves } from './xml';

/** Entries of /config/shared/certificate. */
export const certificateEntries = (certificates: readonly CertificateFact[]): string =>
  certificates
    .map(
      ({ name, algorithm, publicKey, subject, notBefore, notAfter }) =>
        `<entry name="${escapeXml(name)}">${leaves({
          'subject-hash': '40544aaa',
          'issuer-hash': '40544aaa',
          'not-valid-before': notBefore,
          issuer: subject,
          'not-valid-after': notAfter,
          'common-name': subject,
          'expiry-epoch': Math.floor(Date.parse(notAfter) / 1_000),
          ca: 'no',
          subject,
          'public-key': publicKey,
          algorithm,
        })}</entry>`,
    )
    .join('');

/** <update-schedule> of deviceconfig/system; '' if there is none. */
export function updateScheduleElement(schedules: readonly UpdateSchedule[]): string {
  if (schedules.length === 0) return '';
  const entries = schedules.map(({ kind, recurring, at, dayOfWeek }) => {
    const inner =
      recurring === 'none'
        ? ''
        : (dayOfWeek === undefined ? '' : leaf('day-of-week', dayOfWeek)) +
          (at === undefined ? '' : leaf('at', at)) +
          leaf('action', 'download-and-install');
    return `<${kind}><recurring><${recurring}>${inner}</${recurring}></recurring></${kind}>`;
  });
  return `<update-schedule>${entries.join('')}</update-schedule>`;
}
