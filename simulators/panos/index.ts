/**
 * A simulated PAN-OS HA pair: the XML API over one model of HA, jobs, software and configuration. In memory
 * (`SimulatedPair`), for tests with virtual time; or as two TLS servers (`startSimulatedPair`, `hitless simulate panos`).
 * docs/panos-simulator.md tells what of it is documented and what is extrapolated.
 */
export { SimulatedPair } from './pair';
export type { SimulatedDevice } from './device';
export type { Configured, DeviceOptions, Durations, PairOptions, SoftwareImage, Timers } from './options';
export type { ApiReply, ApiRequest } from './wire';
export { faultSchema, type Fault, type FaultKind, type FaultView } from './faults';
export type { HaMode, HaState, JobView } from './view';
