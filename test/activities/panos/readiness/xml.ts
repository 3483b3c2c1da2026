import { parseDocument, type XmlElement } from '../../../../activities/panos/api';

/** <result> with this inside. */
export const result = (inner: string): XmlElement => parseDocument(`<result>${inner}</result>`);
