import { type FlagSpec, switchFlags, textFlag } from './command.js';

/** Flags of Vitess's log library and of its servers, which scripts carry along: accepted, and without effect. */
export const IGNORED_FLAGS: readonly FlagSpec[] = [
  ...switchFlags(
    'logtostderr',
    'alsologtostderr',
    'log-err-stacks',
    'grpc-enable-tracing',
    'grpc-prometheus',
    'pprof-http',
  ),
  ...[
    'stderrthreshold',
    'v',
    'vmodule',
    'log-dir',
    'log-link',
    'log-backtrace-at',
    'log-rotate-max-size',
    'logbuflevel',
    'keep-logs',
    'keep-logs-by-mtime',
    'purge-logs-interval',
    'grpc-max-message-size',
    'pprof',
    'security-policy',
  ].map((name) => textFlag(name, 'of Vitess’s programs; ignored')),
].map((spec) => ({ ...spec, hidden: true }));
