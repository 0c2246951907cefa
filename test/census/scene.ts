import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { freePorts } from '../servers/ports.js';
import { alias, type PlantedTablet, plantCluster } from './clusters.js';
import { type Stand, StandIns, type Triple, tabletVars } from './stand-ins.js';
import { checkCluster, type Told } from './told.js';

/** A store that was left, as processes spell it, and as a person does. */
export const OLD: Triple = { implementation: 'zk2', server: 'zk1:2181,zk2:2181', root: '/vitess/global' };
export const OLD_ADDRESS = 'zk2://zk2:2181,zk3:2181/vitess/global';

/** A topology in memory and eight ports for its processes, new for each test of a file. */
export class Scene {
  readonly stands = new StandIns();
  #ports: number[] = [];
  #server = '';

  constructor() {
    beforeEach(async () => {
      this.#ports = await freePorts(8);
      this.#server = `etcd:${randomUUID()}`;
    });
    afterEach(() => this.stands.serve([]));
    afterAll(() => this.stands.stop());
  }

  /** The topology's own store, as a process of it is started with. */
  get store(): Triple {
    return { implementation: 'memory', server: this.#server, root: '/vitess/global' };
  }

  address = (scope: string): string => `memory://${this.#server}/vitess/${scope}`;

  port = (index: number): number => this.#ports[index] ?? 0;

  /** A primary, 100, and two replicas, on the first ports. */
  three(): PlantedTablet[] {
    return (['PRIMARY', 'REPLICA', 'REPLICA'] as const).map((type, index) => ({
      uid: 100 + index,
      type,
      port: this.port(index),
    }));
  }

  /** The processes of {@link three}, as they should be. */
  sound(): Stand[] {
    return this.three().map(({ uid, type }, index) =>
      this.tells(index, tabletVars(alias(uid), type.toLowerCase(), this.store)),
    );
  }

  plant(tablets: readonly PlantedTablet[]): Promise<void> {
    return plantCluster(this.address, { server: this.#server, root: '/vitess/zone1' }, tablets);
  }

  /** A process that tells these pages, one after the other. */
  tells(index: number, ...vars: readonly object[]): Stand {
    return { port: this.port(index), does: 'tell', vars };
  }

  check(code: number, ...more: string[]): Promise<Told> {
    return checkCluster(this.address('global'), code, more);
  }
}
