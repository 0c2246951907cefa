export { available } from './available.js';
export { type Certificates, makeCertificates } from './certificates.js';
export type { Cluster, Member } from './cluster.js';
export { CONSUL_VERSIONS, type ConsulCluster, type ConsulVersion, startConsul } from './consul.js';
export { ETCD_VERSIONS, type EtcdCluster, type EtcdTls, type EtcdVersion, startEtcd } from './etcd.js';
export { freePorts } from './ports.js';
export { makeFolder, removeFolder } from './watchdog.js';
export { fourLetterWord, startZooKeeper, ZOOKEEPER_VERSIONS, type ZooKeeperVersion } from './zookeeper.js';
