/** What a device answers is bounded: its length, its depth, its parts, and how long it holds the worker. */
import { parseXml, XmlElement } from '@rgrove/parse-xml';
import fc from 'fast-check';
import { JsonItems } from '../../../activities/kit';
import { parseDocument, readReply, ReplyReader } from '../../../activities/panos/api';
import { wholeTree } from '../../../activities/panos/api/shapes';
import { DEPTH_LIMIT } from '../../../activities/panos/api/xml-stream';
import { advancedRoutes, arpCount, legacyRoutes } from '../../../activities/panos/readiness/parse';
import { certificateOf, type Certificate } from '../../../simulators/panos/server/certificate';
import { failureOf } from './support/bench';
import { httpsServer, INFO, keyThen, PASSWORD, success, worker, type Listening, type Place } from './support/https';

const MIB = 1024 * 1024;
let certificate: Certificate;
const open: Listening[] = [];
beforeAll(async () => {
  process.env['PANOS_TEST_PASSWORD'] = PASSWORD;
  certificate = await certificateOf('fw-a', '127.0.0.1');
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

type Answer = Parameters<typeof keyThen>[0];
const device = async (answer: Answer, more: Partial<Place> = {}) => {
  const server = await httpsServer(keyThen(answer));
  open.push(server);
  return worker()({ port: server.port, tls: { fingerprint: certificate.fingerprint }, ...more }).device;
};
/** Sends a chunk again and again, for as long as somebody takes it; counts what was sent. */
const endless = (begin: string, chunk: string, sent = { bytes: 0 }, status = 200): Answer => {
  return (_message, _body, response) => {
    response.writeHead(status);
    response.write(begin);
    const write = (): void => {
      while (!response.destroyed) {
        sent.bytes += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
    };
    write();
  };
};

describe('an answer without end', () => {
  const BEGIN = '<response status="success"><result>';
  const ENTRY = '<entry><name>x</name></entry>'.repeat(1_000);

  it.each([
    [
      'of text',
      BEGIN,
      'x'.repeat(64 * 1024),
      /^fw-a \(127\.0\.0\.1:\d+\) answers with more than 4 MiB: it was cut off/,
    ],
    ['of elements', BEGIN, ENTRY, /^fw-a: show system info: the answer is more than can be read: .*100000 elements/],
    ['of something else', '<html>', 'x'.repeat(64 * 1024), /answers with more than 4 MiB/],
    ['in a comment', `${BEGIN}<!-- `, '- -'.repeat(20_000), /answers with more than 4 MiB/],
    ['in a tag', `${BEGIN}<entry name="`, 'x'.repeat(64 * 1024), /^fw-a: .*the answer is no XML/],
  ])('%s: the call fails, and no more is read', async (_, begin, chunk, message) => {
    const sent = { bytes: 0 };
    const error = await failureOf((await device(endless(begin, chunk, sent))).op(INFO));
    expect(error.message).toMatch(message);
    expect(sent.bytes).toBeLessThan(32 * MIB);
  });

  it('with an error: its beginning is told', async () => {
    const error = await failureOf(
      (await device(endless('broken\n', 'x'.repeat(64 * 1024), { bytes: 0 }, 500))).op(INFO),
    );
    expect(error.message).toBe('fw-a: show system info: HTTP 500 broken');
  });

  it('of headers', async () => {
    const answer: Answer = (_message, _body, response) =>
      response.writeHead(200, { 'x-large': 'x'.repeat(40_000) }).end(success('yes'));
    expect((await failureOf((await device(answer)).op(INFO))).message).toMatch(/^fw-a \(.*doesn’t answer: .*Header/);
  });

  it('byte by byte: the time is for all of it', async () => {
    const drip: Answer = (_message, _body, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('<'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const asked = await device(drip, { timing: { callTimeoutMs: 300 } });
    expect((await failureOf(asked.op(INFO))).message).toMatch(/no answer within 300 ms|no XML/);
  });

  it('for a key', async () => {
    const server = await httpsServer((message, response) => {
      message.resume();
      endless('', 'x'.repeat(64 * 1024))(message, '', response);
    });
    open.push(server);
    const { device: asked } = worker()({ port: server.port, tls: { fingerprint: certificate.fingerprint } });
    expect((await failureOf(asked.op(INFO))).message).toMatch(/answers with more than 65536 bytes/);
  });
});

describe('a large table', () => {
  const route =
    '<entry><virtual-router>default</virtual-router><destination>10.0.0.0/24</destination><nexthop>10.0.0.1</nexthop><metric>10</metric><flags>A B</flags><age>1</age><interface>ethernet1/1</interface></entry>';
  const ROUTES = 50_000;

  it('is counted as it comes in, and the loop turns meanwhile', async () => {
    const body = Buffer.from(success(route.repeat(ROUTES)));
    const asked = await device((_message, _request, response) => response.end(body));
    let turns = 0;
    let counting = true;
    const turn = (): void => {
      turns++;
      if (counting) setImmediate(turn);
    };
    turn();
    expect(await asked.table('<show><routing><route></route></routing></show>', legacyRoutes)).toEqual({ bgp: ROUTES });
    counting = false;
    // Read in one go it would be one or two.
    expect(turns).toBeGreaterThan(body.length / (2 * MIB));
  });

  it('of the advanced engine too, in JSON', async () => {
    const routes = Array.from(
      { length: 20_000 },
      (_, i) => `"10.${i >> 8}.${i & 255}.0/24":[{"protocol":"bgp","installed":true,"nexthops":[{"ip":"10.0.0.1"}]}]`,
    );
    const asked = await device((_message, _request, response) =>
      response.end(success(`<json>{"default":{${routes.join()}}}</json>`)),
    );
    expect(await asked.table(INFO, advancedRoutes)).toEqual({ bgp: 20_000 });
  });

  it('of which one entry has no end', async () => {
    const asked = await device(
      endless('<response status="success"><result><entries><entry>', '<ip>x</ip>'.repeat(5_000)),
    );
    expect((await failureOf(asked.table(INFO, arpCount))).message).toMatch(
      /more than can be read: it has more than 100000/,
    );
  });

  it('of a configuration: what is looked at is kept, of rules of tens of megabytes nothing', async () => {
    const rule = '<entry name="allow"><from><member>any</member></from><action>allow</action></entry>'.repeat(60_000);
    const nat =
      '<nat><rules><entry name="n"><active-active-device-binding>0</active-active-device-binding></entry></rules></nat>';
    const vsys = `<vsys><entry name="vsys1"><rulebase><security><rules>${rule}</rules></security>${nat}</rulebase></entry></vsys>`;
    const asked = await device((_message, _request, response) => response.end(success(vsys)));
    const xpath = '/config/devices/entry/vsys';
    const kept = await asked.config('get', xpath, ['entry/rulebase/nat']);
    expect(kept?.toJSON()).toEqual(
      parseDocument(`<vsys><entry name="vsys1"><rulebase>${nat}</rulebase></entry></vsys>`).toJSON(),
    );
    expect((await failureOf(asked.config('get', xpath))).message).toMatch(/more than 4 MiB|more than 100000/);
  });

  it('exports go on as they come in', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const answer: Answer = (_message, _request, response) => {
      for (let i = 0; i < 200; i++) response.write(chunk);
      response.end();
    };
    let bytes = 0;
    let atOnce = 0;
    let most = 0;
    const take = async (part: Buffer): Promise<void> => {
      most = Math.max(most, ++atOnce);
      bytes += part.length;
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    };
    expect(await (await device(answer)).export('configuration', take)).toBe(200 * chunk.length);
    expect([bytes, most]).toEqual([200 * chunk.length, 1]);
  });
});

describe('XML', () => {
  it.each([201, 2_000, 10_000, 100_000])('nested %i deep is refused in words', (depth) => {
    const body = Buffer.from(
      `<response status="success"><result>${'<a>'.repeat(depth)}x${'</a>'.repeat(depth)}</result></response>`,
    );
    expect(() => readReply('fw-a', 'show x', { status: 200, body })).toThrow(
      /^fw-a: show x: the answer is more than can be read: it is nested more than 200 deep/,
    );
  });

  it('nested as deep as may be is read', () => {
    const depth = DEPTH_LIMIT - 2;
    const body = Buffer.from(
      `<response status="success"><result>${'<a>'.repeat(depth)}x${'</a>'.repeat(depth)}</result></response>`,
    );
    expect(readReply('fw-a', 'show x', { status: 200, body }).result.text).toBe('x');
  });

  const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
  const escape = (text: string): string => text.replace(/[<>&'"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const words = fc.stringMatching(/^[ -~\näß’]{0,20}$/);
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc
      .tuple(
        name,
        fc.uniqueArray(fc.tuple(name, words), { maxLength: 2, selector: ([n]) => n }),
        fc.array(
          fc.oneof(
            { depthSize: 'small' },
            words.map(escape),
            words.map((text) => `<![CDATA[${text.replaceAll(']]>', '')}]]>`),
            fc.constantFrom('<!-- > - -->', '<?pi x?>', '&amp;', '&#x41;', '\r\n', '<e/>', "<e a='>'/>"),
            tie('tree'),
          ),
          { maxLength: 5 },
        ),
      )
      .map(
        ([n, attributes, inner]) =>
          `<${n}${attributes.map(([a, v]) => ` ${a}="${escape(v)}"`).join('')}>${inner.join('')}</${n}>`,
      ),
  }));
  const shape = (element: XmlElement): unknown => [
    element.name,
    element.attributes,
    element.text,
    element.children.filter((child): child is XmlElement => child instanceof XmlElement).map(shape),
  ];

  it('is read as a parser of whole documents reads it, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 30 }), (xml, size) => {
        const body = Buffer.from(`<response status="success"><result>${xml}</result></response>`);
        const whole = parseXml(body.toString()).root;
        expect(shape(parseDocument(body.toString()))).toEqual(shape(whole!));
        const reader = new ReplyReader('fw-a', 'x', wholeTree);
        for (let at = 0; at < body.length; at += size) reader.write(body.subarray(at, at + size));
        const { result } = reader.reply({ status: 200, body: Buffer.alloc(0) });
        expect(shape(result)).toEqual(shape(whole!.children[0] as XmlElement));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '',
    'x',
    '<a>',
    '<a></b>',
    '</a>',
    '<a/><b/>',
    '<a',
    '<a b>',
    '<a b=c/>',
    '<a>&nope;</a>',
    '<a>&#xFFFFFFF;</a>',
    '<!DOCTYPE a><a/>',
    '<a/>x',
    '<a><!-- ',
    '<a><![CDATA[x',
    '< a/>',
    '<a b="1>',
  ])('that isn’t well-formed is refused: %j', (text) => {
    expect(() => parseDocument(text)).toThrow();
  });

  it('whatever comes, the failure names the device', () => {
    const soup = fc.array(
      fc.constantFrom(
        '<',
        '>',
        '/',
        '"',
        "'",
        '=',
        '&',
        ';',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        'a',
        ' ',
        '<response status="success">',
        '<result>',
        '</result>',
        '</response>',
        '<msg>',
        '\0',
        '\uD800',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        try {
          readReply('fw-a', 'show x', { status: 200, body: Buffer.from(parts.join('')) });
        } catch (error) {
          expect((error as Error).message).toMatch(/^fw-a: /);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('JSON in items', () => {
  it('gives what a parser of the whole gives, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 4 })),
        fc.integer({ min: 1, max: 20 }),
        (value, size) => {
          const items: unknown[] = [];
          const reader = new JsonItems(1, (item) => items.push(item));
          const text = JSON.stringify(value);
          for (let at = 0; at < text.length; at += size) reader.write(text.slice(at, at + size));
          reader.end();
          expect(items).toEqual(Object.values(JSON.parse(text) as object));
        },
      ),
    );
  });
});
