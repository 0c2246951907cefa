/** Stores that can be copied from and to. */
export type StoreName = 'zk2' | 'etcd2' | 'consul' | 'file';

/** One side of a copy: a server, or the path of a file. */
export interface Side {
  readonly store: StoreName;
  readonly server: string;
  /** Below which everything of a run is; a file has none. */
  readonly root: string;
}

/** What is copied, from where to where. */
export interface Place {
  readonly from: Side;
  readonly to: Side;
  /** Tablets, in one cell. */
  readonly records: number;
}

export const CELL = 'zone1';

/** Where the tablets of a side are. */
export function tabletsRoot({ root }: Side): string {
  return `${root}/${CELL}/tablets`;
}

export function alias(uid: number): string {
  return `${CELL}-${String(uid).padStart(10, '0')}`;
}
