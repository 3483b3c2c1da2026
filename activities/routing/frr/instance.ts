/** The line that begins a BGP instance, and AS numbers, in every form in which FRR 7.5 and newer print them. Pure. */

/**
 * `router bgp 65200`, `router bgp 1.10 vrf RED as-notation dot` (FRR 8.5 and newer): the AS number as it was typed, then what
 * it is an instance of, then how AS numbers are shown.
 */
const INSTANCE = /^router bgp (\d+(?:\.\d+)?)(?: (vrf|view) (\S+))?(?: as-notation (?:plain|dot|dot\+))?$/;

/** Of the default VRF, or of this one. */
export function isInstance(head: string, vrf: string | undefined): boolean {
  const [whole, , kind, name] = INSTANCE.exec(head) ?? [];
  if (whole === undefined) return false;
  // The default one may be written out; a view forwards nothing.
  return kind === undefined ? vrf === undefined : kind === 'vrf' && name === (vrf ?? 'default');
}

/** AS number of an instance, in plain notation. */
export const instanceAs = (head: string): string | undefined => {
  const as = INSTANCE.exec(head)?.[1];
  return as === undefined ? undefined : plainAs(as);
};

/** AS numbers of a line, or of a path, in plain notation: 1.10 is 65546 (RFC 5396). Addresses have three dots, and stay. */
export const plainAs = (text: string): string =>
  text.replace(/(?<![\w.:/])(\d{1,5})\.(\d{1,5})(?![\w.:/])/g, (_all, high: string, low: string) =>
    String(Number(high) * 65_536 + Number(low)),
  );
