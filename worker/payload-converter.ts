/**
 * The stock payload converter, but what it can't decode becomes a value that says so. With the stock one a single signal
 * with broken JSON, or with another encoding (the Web UI offers json/protobuf), fails every workflow task from then on.
 */
import { DefaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { undecodable } from '../workflows/procedure/undecodable';

const stock = new DefaultPayloadConverter();
const decoder = new TextDecoder();

export const payloadConverter: PayloadConverter = {
  toPayload: (value) => stock.toPayload(value),
  fromPayload: <T>(payload: Payload): T => {
    try {
      return stock.fromPayload<T>(payload);
    } catch (error) {
      const encoding = payload.metadata?.['encoding'];
      return undecodable(
        encoding instanceof Uint8Array ? decoder.decode(encoding) : String(encoding),
        error instanceof Error ? error.message : String(error),
      ) as T;
    }
  },
};
