/** Allows retries while few requests fail, and stops them in an outage. */
export interface RetryBudget {
  readonly recordSuccess: () => void;
  readonly recordFailure: () => void;
  /** @returns Whether a failed request may be retried. */
  readonly allowsRetry: () => boolean;
}

const maxTokens = 10;
const tokensPerSuccess = 0.1;

/**
 * A budget as gRPC throttles retries (gRFC A6): each failure takes a token, each success gives a
 * tenth back, and retries stop while half of the tokens are gone.
 */
export function createRetryBudget(): RetryBudget {
  let tokens = maxTokens;
  return {
    recordSuccess: () => {
      tokens = Math.min(maxTokens, tokens + tokensPerSuccess);
    },
    recordFailure: () => {
      tokens = Math.max(0, tokens - 1);
    },
    allowsRetry: () => tokens > maxTokens / 2,
  };
}
