/**
 * The stock payload converter, but what it can't decode becomes a value that says so. With the stock one a single signal
 * with broken JSON, or with another encoding (the Web UI offers json/protobuf), fails every workflow task from then on.
 */
import { DefaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import type { Undecodable } from '../workflows/procedure/undecodable';

const stock = new DefaultPayloadConverter();
const decoder = new TextDecoder();

export const payloadConverter: PayloadConverter = {
  toPayload: (value) => stock.toPayload(value),
  fromPayload: <T>(payload: Payload): T => {
    try {
      return stock.fromPayload<T>(payload);
    } catch (error) {
      const encoding = payload.metadata?.['encoding'];
      const undecodable: Undecodable = {
        __undecodable: true,
        encoding: encoding instanceof Uint8Array ? decoder.decode(encoding) : String(encoding),
        why: error instanceof Error ? error.message : String(error),
      };
      return undecodable as T;
    }
  },
};
