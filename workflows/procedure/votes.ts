/** Words of people that count only together with others'. Pure. */
import type { Vote } from './state';

/** A word that needs others to count is forgotten after this time. */
const VOTE_MS = 3_600_000;

/** Votes that still count, with a new one. */
export const votesWith = (votes: readonly Vote[], vote: Vote): readonly Vote[] => [
  ...votes.filter(({ at }) => vote.at - at < VOTE_MS),
  vote,
];
