/** An answer with status="error": thrown by commands, rendered by whoever answers the request. Codes: facts §5. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly lines: readonly string[],
  ) {
    super(lines.join(' '));
    this.name = 'ApiError';
  }
}
