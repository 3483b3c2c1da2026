/**
 * A payload that can't be decoded reaches workflow code as this value instead of an exception: with the stock converter
 * one signal with broken JSON would wedge the run for good, escape included. Its mark is a symbol, which no JSON has, so
 * nobody can send one.
 */
const mark = Symbol.for('hitless.undecodable');

export interface Undecodable {
  readonly [mark]: true;
  readonly encoding: string;
  readonly why: string;
}

export const undecodable = (encoding: string, why: string): Undecodable => ({ [mark]: true, encoding, why });

export const isUndecodable = (value: unknown): value is Undecodable =>
  typeof value === 'object' && value !== null && mark in value;
