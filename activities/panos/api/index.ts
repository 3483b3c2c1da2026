/** The XML API of PAN-OS: transport, replies, and devices as activities see them. */
export { createDevice, type DeviceOptions, type PanosDevice, type Reader } from './device';
export { keepKey, type Keys, type Login } from './keys';
export { failureOf, jobOf, readReply, type ApiAnswer, type Reply } from './reply';
export { httpsTransport, type ApiCall, type Transport, type Upload } from './transport';
export { at, childrenOf, escapeXml, inWords, numberAt, parseDocument, textAt, XmlElement } from './xml';
