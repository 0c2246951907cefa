import type { Clock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import type { MethodName } from '../../src/topo/wrappers/base.js';
import { withFaults } from '../../src/topo/wrappers/fault.js';
import type { ChooseFault, Fault } from '../../src/topo/wrappers/fault-plan.js';

/** A connection whose calls meet the faults that a test names, one after the other; the others reach the store. */
export class FaultScript {
  readonly connection: Connection;
  /** Every call, in order, those with faults too. */
  readonly calls: MethodName[] = [];
  readonly #next = new Map<MethodName, Fault[]>();

  /** `otherwise` is asked where {@link fail} has nothing to say. */
  constructor(inner: Connection, clock: Clock, otherwise: ChooseFault = () => undefined) {
    const choose: ChooseFault = (call) => {
      this.calls.push(call.method);
      return this.#next.get(call.method)?.shift() ?? otherwise(call);
    };
    this.connection = withFaults(inner, { clock, choose });
  }

  /** The next calls of `method` meet these faults, one each. */
  fail(method: MethodName, ...faults: readonly Fault[]): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), ...faults]);
  }

  /** How often `method` was called. */
  count(method: MethodName): number {
    return this.calls.filter((call) => call === method).length;
  }
}

/** The store never sees the call. */
export const lostRequest = { kind: 'drop request' } as const satisfies Fault;
/** The store does the call, and nobody is told. */
export const lostAnswer = { kind: 'drop answer' } as const satisfies Fault;
/** The store never sees the call, and nobody knows how far it came. */
export const lostSomewhere = { kind: 'drop request', unnoticed: true } as const satisfies Fault;
