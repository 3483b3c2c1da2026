/**
 * Every regular expression written in activities/ takes time that is linear in the text: a host may have it look at megabytes.
 * Each is tried on what it is most likely to trip over: many beginnings of itself, none of which ends well.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { OutOfSteps, piecesOf, stepsOf } from './regex-steps';

const ROOT = join(__dirname, '../../../activities');

interface Written {
  readonly file: string;
  readonly text: string;
}

const written: readonly Written[] = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const found: Written[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) found.push({ file, text: node.text });
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2022));
    return found;
  });

/** Files whose expressions look at the inventory, at plans and at what this program wrote: their authors may wait. */
const OWN_TEXT = /(^|\/)(spec|names|quote|commands|duration)\.ts$/;
/** Expressions that are held against short or checked texts only, and why. */
const SHORT_TEXT: readonly (readonly [string, string])[] = [
  [String.raw`/\\(.)|\[([^\]]+)\]|([*?])/gs`, 'a command of our own sudoers file'],
  [String.raw`/<\/[^>]*>/g`, 'a command of our own, to a device'],
  [String.raw`/<([^\s/>]+)[^>]*>/g`, 'a command of our own, to a device'],
  [String.raw`/([\w.-]+)(?:\[[^\]]*\])?$/`, 'an xpath of our own, to a device'],
];

const foreign = written
  .filter(({ file }) => !OWN_TEXT.test(file))
  .filter(({ text }) => !SHORT_TEXT.some(([known]) => known === text));

const [FEW, MANY] = [16, 128];
/** Between eight, which is linear, and sixty-four, which is quadratic. */
const TOO_STEEP = 16;
const NEGLIGIBLE = 600;
const ENDS = ['', 'x\u2028y', '\n!', ' '];

const make = (text: string): RegExp => {
  const end = text.lastIndexOf('/');
  return new RegExp(text.slice(1, end), text.slice(end + 1));
};

/** A text on which the steps grow faster than it; undefined if none was found. */
function trap(expression: RegExp): string | undefined {
  const pieces = piecesOf(expression)
    .filter((piece) => piece !== '')
    // Where each line may be a beginning, each is one.
    .flatMap((piece) => (expression.multiline ? [piece, `\n${piece}`] : [piece]));
  const heads = ['', ...pieces].slice(0, 12);
  for (const head of heads)
    for (const piece of [...pieces.slice(0, 20), ' ', '\n', '1', 'a'])
      for (const end of ENDS) {
        const steps = (times: number, limit: number): number =>
          stepsOf(expression, head + piece.repeat(times) + end, limit).steps;
        const few = steps(FEW, 1e7);
        try {
          steps(MANY, TOO_STEEP * Math.max(few, NEGLIGIBLE));
        } catch (error) {
          if (!(error instanceof OutOfSteps)) throw error;
          return JSON.stringify({ head, piece, end });
        }
      }
  return undefined;
}

test('there are many of them', () => expect(foreign.length).toBeGreaterThan(150));

test('none grows faster than its text', () => {
  const seen = new Map(foreign.map(({ file, text }) => [text, file]));
  const found = [...seen].flatMap(([text, file]) => {
    const on = trap(make(text));
    return on === undefined ? [] : [`${file}: ${text} on ${on}`];
  });
  expect(found).toEqual([]);
});

test('the traps of expressions that were written here once are found', () => {
  const once = [
    /(\d+) Malformed msgs\s+(\d+) Lost msgs/,
    /^Token: (\S+) \(([^,]*),.*?,\s*([^,)]*)\)\s*$/gm,
    /^[●*×\s]*(\S+\.\S+)/,
    /held packages? .*will be changed/,
    /Version '.*' for '.*' was not found/,
    /needs \d+\S* (more space )?on the/,
    /^\s*serverconf\.hibernate\.connection\.url\s*[=:]\s*(\S+)/m,
    /held by (process \d+ \([^)]*\))/,
    /^\s*(\d+)\s+(.*)$/,
  ];
  expect(once.filter((expression) => trap(expression) === undefined)).toEqual([]);
});
