// Imports point one way: cli → copy → verify, building, census → cells, graph, looking, editing → topo ← legacy, http, znodes ← backends,
// znodes → zookeeper,
// and cli → lint → cells, graph, editing → topo.
// Each rule forbids one arrow against that direction; docs/architecture.md explains why.
const only = (layer, allowed, comment) => ({
  name: `${layer}-imports`,
  comment,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
    only('topo', [], 'what a topology is depends on nothing else of the project'),
    only('http', ['topo'], 'servers that are spoken to by HTTP, whatever their product'),
    only('zookeeper', [], 'the ZooKeeper client knows nothing of topologies'),
    only('znodes', ['topo', 'zookeeper'], 'records in znodes are kept in one way, wherever they lie'),
    only('zk-command', ['topo', 'zookeeper'], 'the old zk tool is about znodes, whatever they hold'),
    only('graph', ['topo'], 'the derived serving graph is made from records'),
    only('legacy', ['topo'], 'the old forms of records are known to the backends that keep them'),
    only('cells', ['topo', 'graph'], 'cell records belong to topologies'),
    only('looking', ['topo'], 'looking at a store needs nothing but the contract and the records'),
    only(
      'building',
      ['topo', 'graph', 'cells'],
      'what Vitess writes to build a topology is made from its records',
    ),
    only('editing', ['topo'], 'a record is checked and changed wherever it is'),
    only('exporting', ['topo', 'editing'], 'a tree of files is read and written whoever copies it'),
    only('lint', ['topo', 'graph', 'cells', 'editing'], 'lint judges records by the rules that others have'),
    only('census', ['topo', 'graph'], 'a running cluster is compared with its records'),
    only('verify', ['topo', 'graph', 'cells'], 'verify reads topologies'),
    only(
      'copy',
      ['topo', 'graph', 'cells', 'editing', 'verify'],
      'copy may verify what it wrote, and judges it as edits are judged',
    ),
    {
      name: 'backends-import-topo',
      comment: 'a backend knows the contract, the form of its records and its client, never another backend',
      severity: 'error',
      from: { path: '^src/backends/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/(topo|legacy|http|znodes|zookeeper)/|^src/backends/$1/' },
    },
    {
      name: 'nobody-imports-a-backend',
      comment: 'backends are loaded lazily, by the registry alone',
      severity: 'error',
      from: { path: '^(src|bin)/', pathNot: '^src/backends/' },
      to: { path: '^src/backends/[^/]+/' },
    },
    {
      name: 'registry-loads-lazily',
      comment: 'a missing native addon must not stop a user of another store',
      severity: 'error',
      from: { path: '^src/backends/registry\\.ts$' },
      to: { path: '^src/backends/[^/]+/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'cli-is-the-top',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|index\\.ts$)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'native-addon-loads-lazily',
      comment: 'the addon is optional: it may not have been built',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: {
        path: '(^|node_modules/)zookeeper($|/)',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'declared-packages-only',
      comment: 'what is published must run with what it declares',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-without-tests',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
