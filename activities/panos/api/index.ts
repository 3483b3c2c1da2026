/** The XML API of PAN-OS: transport, replies, and devices as activities see them. */
export { createDevice, type DeviceOptions, type PanosDevice, type Reader } from './device';
export { keepKey, type Keys, type Login } from './keys';
export { failureOf, jobOf, readReply, ReplyReader, type ApiAnswer, type Reply } from './reply';
export { eachAt, treeOf, type Collector, type Shape } from './shapes';
export { httpsTransport, type ApiCall, type Transport, type Upload } from './transport';
export { XmlStream } from './xml-stream';
export { at, childrenOf, escapeXml, inWords, numberAt, parseDocument, textAt, XmlElement } from './xml';
