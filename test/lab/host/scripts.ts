import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';

/** The folder of the lab: test/lab, or build/test/lab once compiled. */
const labFolder = resolve(__dirname, '..');

function sources(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('.test.') ? [path] : [];
  });
}

/**
 * A folder in which plain node finds the lab's programs (keeper, traffic) as JavaScript. Compiled, that is the
 * build's own; under jest, which compiles in memory, they are compiled into `directory`, so a test never
 * runs what an older build left. The lab imports nothing but node's own modules, so they run anywhere.
 */
export async function programFolder(directory: string): Promise<string> {
  if (extname(__filename) === '.js') return labFolder;
  const { transformFile } = await import('@swc/core');
  await Promise.all(
    sources(labFolder).map(async (source) => {
      const target = join(directory, relative(labFolder, source).replace(/\.ts$/, '.js'));
      const { code } = await transformFile(source, {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      });
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, code);
    }),
  );
  return directory;
}
