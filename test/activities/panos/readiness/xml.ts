import { parseDocument, ReplyReader, type Shape, type XmlElement } from '../../../../activities/panos/api';

/** <result> with this inside. */
export const result = (inner: string): XmlElement => parseDocument(`<result>${inner}</result>`);

/** What a shape keeps of a result with this inside, however it comes in. */
export function table<T>(shape: Shape<T>, inner: string): T {
  const body = Buffer.from(`<response status="success"><result>${inner}</result></response>`);
  const [whole, piecewise] = [body.length, 1].map((size) => {
    const reader = new ReplyReader('fw-a', 'show', shape);
    for (let at = 0; at < body.length; at += size) reader.write(body.subarray(at, at + size));
    return reader.reply({ status: 200, body: Buffer.alloc(0) }).result;
  });
  expect(piecewise).toEqual(whole);
  return whole as T;
}
