const TABLETS = 'it talks to running tablets: use vtctldclient of the cluster';
const WORKFLOWS = 'it moves data between running tablets: use vtctldclient of the cluster';
const BACKUPS = 'it is about backups and not about the topology: use vtctldclient of the cluster';
const MYSQL = 'it is about MySQL and not about the topology: use vtctldclient of the cluster';
const VALIDATION = 'use topo2topo graph check, and topo2topo verify for two stores';
const BY_HAND = 'it changes one record by hand: use topo2topo edit';
const RETIRED = 'Vitess itself has it no longer';

/** Names in one text, for one reason. */
const REFUSED: readonly (readonly [instead: string, names: string])[] = [
  [
    TABLETS,
    `ChangeTabletTags Ping PingTablet RefreshState RefreshStateByShard RunHealthCheck Sleep SleepTablet ExecuteHook
    SetReadOnly SetReadWrite SetWritable StartReplication StopReplication StartSlave StopSlave ShardReplicationPositions
    PlannedReparentShard EmergencyReparentShard InitShardMaster InitShardPrimary ReparentTablet
    TabletExternallyReparented GetFullStatus GetTabletVersion CheckThrottler GetThrottlerStatus
    ValidateVersionShard ValidateVersionKeyspace WaitForFilteredReplication GetUnresolvedTransactions
    DistributedTransaction`,
  ],
  [
    'the tablet itself changes its type: use vtctldclient of the cluster; for a topology without tablets, InitTablet -allow_update',
    'ChangeTabletType ChangeSlaveType',
  ],
  [
    MYSQL,
    `ExecuteFetchAsApp ExecuteFetchAsDba ExecuteFetchAsDBA ExecuteMultiFetchAsDBA VReplicationExec GetSchema ReloadSchema
    ReloadSchemaShard ReloadSchemaKeyspace ValidateSchemaShard ValidateSchemaKeyspace ApplySchema CopySchemaShard OnlineDDL
    GetSchemaMigrations LaunchSchemaMigration ForceCutOverSchemaMigration GetPermissions ValidatePermissionsShard
    ValidatePermissionsKeyspace`,
  ],
  [
    WORKFLOWS,
    `Reshard MoveTables Migrate Materialize CreateLookupVindex ExternalizeVindex LookupVindex VDiff Workflow GetWorkflows VExec
    SwitchReads SwitchWrites DropSources CancelResharding ShowResharding`,
  ],
  [BACKUPS, 'Backup BackupShard ListBackups GetBackups RemoveBackup RestoreFromBackup'],
  [VALIDATION, 'Validate ValidateShard ValidateKeyspace'],
  [
    BY_HAND,
    `SetShardTabletControl UpdateSrvKeyspacePartition SourceShardAdd SourceShardDelete ShardReplicationAdd
    ShardReplicationRemove ShardReplicationFix UpdateTabletAddrs SetKeyspaceDurabilityPolicy SetKeyspaceShardingInfo
    SetKeyspaceServedFrom SetVtorcEmergencyReparent UpdateThrottlerConfig ApplyKeyspaceRoutingRules Mount VSchema`,
  ],
  ['use topo2topo rm', 'DeleteSrvVSchema'],
  ['use TopoCp -to_topo', 'WriteTopologyPath'],
  ['use GetSrvKeyspace, or GetSrvVSchema, for each cell', 'GetSrvKeyspaces GetSrvVSchemas'],
  ['a key range is cut by hand: two shards are -80 and 80-', 'GenerateShardRanges'],
  [
    RETIRED,
    `SplitClone VerticalSplitClone MigrateServedTypes MigrateServedFrom WaitForDrain IgnoreHealthError
    RebuildShardGraph RebuildReplicationGraph GetEndPoints GetSrvShard ListIdle ListScrap ScrapTablet Resolve Snapshot Restore
    Clone MultiSnapshot MultiRestore ShardMultiRestore WorkflowCreate WorkflowStart WorkflowStop WorkflowDelete WorkflowTree
    WorkflowWait WorkflowAction`,
  ],
  ['write the command itself', 'LegacyVtctlCommand VtctldCommand'],
];

/** Commands that vtctl or vtctldclient has and this tool has not, and what to use instead. */
export const REFUSED_COMMANDS: ReadonlyMap<string, string> = new Map(
  REFUSED.flatMap(([instead, names]) => names.split(/\s+/).map((name) => [name, instead] as const)),
);
