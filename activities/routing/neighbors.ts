/** The BGP neighbors of a router that are one node: one, several over as many links, or none. */
export const neighborsOfPath = ({
  neighbor,
}: {
  readonly neighbor?: string | readonly string[] | undefined;
}): readonly string[] => (neighbor === undefined ? [] : typeof neighbor === 'string' ? [neighbor] : neighbor);
