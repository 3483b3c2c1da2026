/** Replies of a device as values: one function for each command that readiness and snapshots read. Pure. */
export * from './certificates';
export * from './hashes';
export * from './network';
export * from './routing';
export * from './schedules';
export * from './system';
