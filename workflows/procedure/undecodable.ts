/**
 * A payload that can't be decoded reaches workflow code as this value instead of an exception: with the stock converter
 * one signal with broken JSON would wedge the run for good, escape included.
 */
export interface Undecodable {
  readonly __undecodable: true;
  readonly encoding: string;
  readonly why: string;
}

export const isUndecodable = (value: unknown): value is Undecodable =>
  typeof value === 'object' && value !== null && '__undecodable' in value && value.__undecodable === true;
