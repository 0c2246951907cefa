import { error, note, type Row, warn } from './row.js';

/** Findings about cells and their aliases. */
export const CELL_ROWS = {
  'no-cells': error(
    'the topology has no cell',
    'a wrong server or root looks like this',
    'check them; a first cell is added with topo2topo cell add',
  ),
  'cell-unusable': error(
    'a CellInfo names no address that can be used',
    'no process of the cell finds its store',
    'topo2topo cell update ADDRESS CELL --server-address SERVERS --root ROOT',
  ),
  'cell-unreachable': error(
    'a cell’s store does not answer from here, or may not be read',
    'nothing in it was looked at, and reparents of Vitess need every cell',
    'check servers, network and login; if its address means something else from here: --cell-address CELL=SERVER,ROOT',
  ),
  'cell-overlap': error(
    'the root of a cell is that of another cell or of the global store, or lies above or below it',
    'each would read the other’s records as its own; the cell was not looked at',
    'move its records to a root of their own, then topo2topo cell update ADDRESS CELL --root ROOT',
  ),
  'alias-unknown-cell': warn(
    'a CellsAlias names a cell that does not exist',
    'what is asked of the alias is not done in that cell',
    'topo2topo cell alias update ADDRESS ALIAS --cells CELLS, without it',
  ),
  'alias-overlap': warn(
    'a cell is in two aliases',
    'Vitess refuses to write such aliases; which of them gates take is chance',
    'take it out of one: topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'alias-hidden': note(
    'a CellsAlias has the name of a cell',
    'Vitess takes the cell, never the alias',
    'call the alias something else',
  ),
} as const satisfies Readonly<Record<string, Row>>;
