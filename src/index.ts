/** The library: everything the command line does, for programs. */
export { loadBackend } from './backends/registry.js';
export type { CellRule } from './copy/cells.js';
export { applyCopy, type CopyResult, type PreparedCopy, planCopy } from './copy/copy.js';
export type { Action, Entry, WriteEntry } from './copy/entries.js';
export type { CopyOptions, CopyProgress } from './copy/options.js';
export type { Plan, ScopePlan } from './copy/plan.js';
export { addressFromTriple, formatAddress, parseAddress, type StoreAddress } from './topo/address.js';
export type { Backend, ConnectSettings, Stores, TlsSettings } from './topo/backend.js';
export { type Clock, systemClock } from './topo/clock.js';
export * from './topo/connection.js';
export { ErrorCode, isTopologyError, TopologyError } from './topo/errors.js';
export { classify, KINDS, type Kind, type KindRow } from './topo/kinds.js';
export { type Cell, GLOBAL, Topology, type TopologySpec } from './topo/topology.js';
export { Version } from './topo/version.js';
export { type DeadlineSettings, withDeadline } from './topo/wrappers/deadline.js';
export { withReadOnly } from './topo/wrappers/read-only.js';
export {
  Metrics,
  type RecordedCall,
  type RecordingSettings,
  withRecording,
} from './topo/wrappers/recording.js';
export { type RetrySettings, withRetry } from './topo/wrappers/retry.js';
export { type Baseline, baselineOf } from './verify/baseline.js';
export { CLASSES, type Class } from './verify/classes.js';
export type { VerifyOptions } from './verify/options.js';
export type * from './verify/report.js';
export { type Decision, decide } from './verify/verdict.js';
export { verify } from './verify/verify.js';
