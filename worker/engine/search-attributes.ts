/** The search attributes by which upgrades are listed, and making sure that a server has them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { searchAttributes as names } from '../../workflows/contract';
import type { SearchAttributeType } from './arguments';

/** All of type Keyword. Without them the first upsert would wedge an upgrade for good (facts/temporal.md, a). */
export const productSearchAttributes: Readonly<Record<string, SearchAttributeType>> = Object.fromEntries(
  Object.values(names).map((name) => [name, 'Keyword' as const]),
);

/** Both the client's and the worker's connection will do. */
export type ServerConnection = Pick<Connection, 'operatorService' | 'workflowService'>;

/** Thrown when attributes are missing and can't be registered, or have another type; the message has the command to run. */
export class SearchAttributeError extends Error {}

const { IndexedValueType } = temporal.api.enums.v1;
const typeOf = (type: SearchAttributeType): temporal.api.enums.v1.IndexedValueType =>
  ({
    Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
    Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  })[type];

const visibleTimeoutMs = 60_000;
/** gRPC status codes (google.rpc.Code). */
const [invalidArgument, notFound] = [3, 5];
const codeOf = (error: unknown): number | undefined => (isGrpcServiceError(error) ? error.code : undefined);

/**
 * Registers the attributes that a namespace lacks, and waits until the server accepts them (its caches take some seconds).
 * Needs no more rights than a query where they are all there.
 * @param where is what a person calls the server, for the message: its address.
 * @returns the names that were registered now.
 */
export async function ensureSearchAttributes(
  connection: ServerConnection,
  namespace: string,
  wanted = productSearchAttributes,
  where?: string,
): Promise<readonly string[]> {
  const help = (attributes: readonly string[]): string => {
    const target = `${where === undefined ? '' : ` --address ${where}`} --namespace ${namespace}`;
    const each = attributes.map((name) => ` --name ${name} --type ${wanted[name]}`).join('');
    return `Let someone who administers it run: temporal operator search-attribute create${target}${each}`;
  };
  const server = `namespace ${namespace}${where === undefined ? '' : ` of ${where}`}`;

  let registered: Readonly<Record<string, temporal.api.enums.v1.IndexedValueType>>;
  try {
    registered = (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    if (codeOf(error) === notFound)
      throw new SearchAttributeError(`There is no ${server}.`, { cause: error });
    // Temporal Cloud, and servers that authorize, may refuse the operator's API to us although all is well.
    if (await queryable(connection, namespace, Object.keys(wanted))) return [];
    throw new SearchAttributeError(
      `The search attributes of ${server} can't be read (${(error as Error).message}), and a query by ${Object.keys(wanted).join(', ')} is refused: one of them at least isn't registered. ${help(Object.keys(wanted))}`,
      { cause: error },
    );
  }
  const wrong = Object.keys(wanted).filter(
    (name) => registered[name] !== undefined && registered[name] !== typeOf(wanted[name]!),
  );
  if (wrong.length > 0) {
    const list = wrong.map((name) => `${name} (is ${IndexedValueType[registered[name]!]}, must be ${wanted[name]})`);
    throw new SearchAttributeError(
      `In ${server} these search attributes have another type than Hitless needs: ${list.join(', ')}. Remove them there, or use another namespace.`,
    );
  }
  const missing = Object.keys(wanted).filter((name) => registered[name] === undefined);
  if (missing.length === 0) return [];
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, typeOf(wanted[name]!)])),
    });
  } catch (error) {
    throw new SearchAttributeError(
      `${server} lacks the search attributes ${missing.join(', ')}, and refused to register them: ${(error as Error).message}. ${help(missing)}`,
      { cause: error },
    );
  }
  for (const deadline = Date.now() + visibleTimeoutMs; !(await queryable(connection, namespace, missing)); ) {
    if (Date.now() > deadline)
      throw new SearchAttributeError(
        `${server} registered the search attributes ${missing.join(', ')}, but doesn't accept them after ${visibleTimeoutMs / 1000} s.`,
      );
    await sleep(200);
  }
  return missing;
}

/** Whether the server accepts a query by these attributes; it refuses names that it doesn't know. */
async function queryable(connection: ServerConnection, namespace: string, attributes: readonly string[]): Promise<boolean> {
  const query = attributes.map((name) => `${name} IS NULL`).join(' AND ');
  try {
    await connection.workflowService.countWorkflowExecutions({ namespace, query });
    return true;
  } catch (error) {
    if (codeOf(error) === invalidArgument) return false;
    throw error;
  }
}
