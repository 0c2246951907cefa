import { setTimeout as sleep } from 'node:timers/promises';
import { conditionOf } from './process.js';
import { type Command, makeFolder, type Program, removeFolder, run, tail } from './watchdog.js';

const READY_LIMIT_MS = 100_000;
const STOP_LIMIT_MS = 8_000;
const POLL_MS = 20;
const CLASH = /address already in use|BindException/i;

/** One server process of a cluster. Its ports and its data stay the same from start to start. */
export interface Member {
  readonly name: string;
  /** `host:port` for clients. */
  readonly address: string;
  /** Its process, or undefined while it is down. */
  pid(): number | undefined;
  /** Ends it in its own time (SIGTERM; SIGKILL after 8 s). Its data is kept for `restart`. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). Its data is kept for `restart`. */
  kill(): Promise<void>;
  /** Holds it (SIGSTOP): connections stay open and nothing answers from when this returns. */
  freeze(): void;
  /** Lets a frozen one go on. */
  thaw(): void;
  /** Stops it if it runs, starts it with the same ports and data, and waits until it serves. */
  restart(): Promise<void>;
  /** For people: how its process is, what it says of itself, and the end of its log. */
  report(): Promise<string>;
}

/** One or more servers that form a store. Each method does to every member what it does to one. */
export interface Cluster {
  readonly product: string;
  /** The version that runs, as its makers write it (`3.8.0`). */
  readonly version: string;
  /** The members' `host:port`, separated by commas. */
  readonly servers: string;
  readonly members: readonly Member[];
  /** The first member: all there is when the cluster has one. */
  readonly member: Member;
  /** Ends every member and deletes the data. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Kills all members, starts them again with the same ports and data, and waits until all serve. */
  restart(): Promise<void>;
  /** Lets frozen members go on and starts those that are down, whatever a test that failed has left. */
  restore(): Promise<void>;
  /** {@link Member.report} of every member. */
  report(): Promise<string>;
}

/** How one member is run, and how to tell that it serves clients. */
export interface MemberPlan {
  readonly name: string;
  readonly address: string;
  readonly command: Command;
  /** Whether it serves; may throw while it does not. */
  ready(): Promise<boolean>;
  /** What it says of itself and its place among the others, for people; may throw. */
  status(): Promise<string>;
}

function makeMember(plan: MemberPlan): Member & { start(): Promise<void>; awaitReady(): Promise<void> } {
  let program: Program | undefined;
  const running = (): Program | undefined => (program?.ended() === undefined ? program : undefined);

  const fail = async (what: string): Promise<never> => {
    throw new Error(`${plan.name} ${what}; the end of its log:\n${await tail(plan.command.log)}`);
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const current = running();
    if (current === undefined) return;
    current.signal(signal);
    current.signal('SIGCONT');
    const timer = setTimeout(() => current.signal('SIGKILL'), STOP_LIMIT_MS);
    await current.exited();
    clearTimeout(timer);
  };
  const member = {
    name: plan.name,
    address: plan.address,
    pid: () => running()?.pid,
    start: async () => {
      program = await run(plan.command);
    },
    awaitReady: async () => {
      const limit = Date.now() + READY_LIMIT_MS;
      for (;;) {
        const ended = program?.ended();
        if (ended !== undefined) await fail(`ended (${ended}) before it served`);
        if ((await plan.ready().catch(() => false)) && running() !== undefined) return;
        if (Date.now() > limit) await fail(`did not serve within ${READY_LIMIT_MS} ms`);
        await sleep(POLL_MS);
      }
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => running()?.signal('SIGSTOP'),
    thaw: () => running()?.signal('SIGCONT'),
    restart: async () => {
      await member.stop();
      await member.start();
      await member.awaitReady();
    },
    report: async () => {
      const ended = program?.ended();
      const condition = program !== undefined && ended === undefined ? conditionOf(program.pid) : ended;
      const log = await tail(plan.command.log);
      const status = ended === undefined ? await plan.status().catch(String) : 'down';
      return `${plan.name} at ${plan.address}: ${condition ?? 'never started'}\n  ${status.trim().replaceAll('\n', '; ')}\n${log.replace(/^/gm, '  | ')}`;
    },
  };
  return member;
}

/**
 * Starts the planned members and waits until all of them serve. When a port was taken by somebody else between
 * its choice and its use, all is planned again.
 *
 * @param plan gives the members, for data kept below `folder`
 * @param parent where `folder` is made, by default where the system has temporary files
 */
export async function startCluster(
  product: string,
  version: string,
  plan: (folder: string) => Promise<readonly MemberPlan[]>,
  parent?: string,
  attempts = 3,
): Promise<Cluster> {
  const folder = await makeFolder(parent);
  const members = (await plan(folder)).map(makeMember);
  const [member] = members;
  if (member === undefined) throw new Error(`${product}: a cluster needs a member`);
  const all = async (task: (member: (typeof members)[number]) => Promise<void>): Promise<void> => {
    await Promise.all(members.map(task));
  };
  const cluster: Cluster = {
    product,
    version,
    servers: members.map((each) => each.address).join(','),
    members,
    member,
    stop: async () => {
      await all((each) => each.kill());
      await removeFolder(folder);
    },
    kill: () => all((each) => each.kill()),
    freeze: () => {
      for (const each of members) each.freeze();
    },
    thaw: () => {
      for (const each of members) each.thaw();
    },
    restart: async () => {
      await all((each) => each.kill());
      await all((each) => each.start());
      await all((each) => each.awaitReady());
    },
    restore: async () => {
      cluster.thaw();
      await all(async (each) => (each.pid() === undefined ? each.restart() : undefined));
    },
    report: async () => (await Promise.all(members.map((each) => each.report()))).join('\n'),
  };
  try {
    await all((each) => each.start());
    await all((each) => each.awaitReady());
    return cluster;
  } catch (error) {
    await cluster.stop();
    if (attempts > 1 && CLASH.test(String(error)))
      return startCluster(product, version, plan, parent, attempts - 1);
    throw error;
  }
}
