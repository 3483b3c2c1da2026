import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Version of this package. The sources lie one folder below its package.json, what is built of them two. */
export function packageVersion(from = __dirname): string {
  const file = join(from, 'package.json');
  if (!existsSync(file)) return dirname(from) === from ? 'unknown' : packageVersion(dirname(from));
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
