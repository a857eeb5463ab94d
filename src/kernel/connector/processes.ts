/**
 * Simulated processes: they fork, execute and exit, and the connector tells of it.
 *
 * Kernel: kernel/fork.c, fs/exec.c, kernel/exit.c, kernel/sys.c, where they call the connector.
 */
import { NetlinkError } from '../../errors.ts'
import type { ProcConnector } from './cn-proc.ts'

const SIGCHLD = 17
/** kernel.pid_max. */
const PID_MAX = 32768
/** Pids below this are not given out again. */
const RESERVED_PIDS = 300

/** A thread of a process; the first one has the process' id. */
export class Task {
  readonly pid: number
  readonly tgid: number
  /** real_parent: who is told of its end; undefined for the first of all. */
  parent: Task | undefined
  comm: string
  uid = 0
  gid = 0
  tracer: Task | undefined
  /** Set once it has exited. */
  isDead = false
  readonly #table: ProcessTable

  constructor(table: ProcessTable, pid: number, tgid: number, parent: Task | undefined) {
    this.#table = table
    this.pid = pid
    this.tgid = tgid
    this.parent = parent
    this.comm = parent?.comm ?? 'init'
  }
  /** fork(2): a process of its own. @throws NetlinkError EAGAIN without a free pid, ESRCH when dead. */
  fork(): Task {
    return this.#table.start(this, false)
  }
  /** clone(2) with CLONE_THREAD: one more thread of this process. @throws NetlinkError as fork(). */
  clone(): Task {
    return this.#table.start(this, true)
  }
  /** execve(2). */
  exec(comm: string): void {
    this.comm = comm.slice(0, 15)
    this.#table.connector.tell({ what: 'exec', ...this.#ids() })
  }
  /** prctl(PR_SET_NAME). */
  setComm(comm: string): void {
    this.comm = comm.slice(0, 15)
    this.#table.connector.tell({ what: 'comm', ...this.#ids(), comm: this.comm })
  }
  /** setuid(2). */
  setuid(uid: number): void {
    this.uid = uid
    this.#table.connector.tell({ what: 'uid', ...this.#ids(), ruid: uid, euid: uid })
  }
  /** setgid(2). */
  setgid(gid: number): void {
    this.gid = gid
    this.#table.connector.tell({ what: 'gid', ...this.#ids(), rgid: gid, egid: gid })
  }
  /** setsid(2). */
  setsid(): void {
    this.#table.connector.tell({ what: 'sid', ...this.#ids() })
  }
  /** ptrace(2): `tracer` takes hold, undefined lets go. */
  ptrace(tracer: Task | undefined): void {
    this.tracer = tracer
    const { pid = 0, tgid = 0 } = tracer ?? {}
    this.#table.connector.tell({ what: 'ptrace', ...this.#ids(), tracerPid: pid, tracerTgid: tgid })
  }
  /** exit(2) with `status` 0 to 255. */
  exit(status = 0): void {
    this.#end((status & 0xff) << 8)
  }
  /** Ended by a signal; with a core dump that is told first. */
  kill(signal: number, dumpsCore = false): void {
    if (dumpsCore && !this.isDead) {
      this.#table.connector.tell({ what: 'coredump', ...this.#ids(), ...this.#parentIds() })
    }
    this.#end(dumpsCore ? signal | 0x80 : signal)
  }

  #end(exitCode: number): void {
    if (this.isDead) return
    this.isDead = true
    const exitSignal = this.pid === this.tgid ? SIGCHLD : -1
    const parent = this.#parentIds()
    this.#table.end(this)
    this.#table.connector.tell({ what: 'exit', ...this.#ids(), exitCode, exitSignal, ...parent })
  }
  #ids(): { processPid: number; processTgid: number } {
    return { processPid: this.pid, processTgid: this.tgid }
  }
  #parentIds(): { parentPid: number; parentTgid: number } {
    return { parentPid: this.parent?.pid ?? 0, parentTgid: this.parent?.tgid ?? 0 }
  }
}

/** The processes of one kernel. */
export class ProcessTable {
  readonly connector: ProcConnector
  /** Process 1: who adopts orphans. */
  readonly init: Task
  readonly #tasks = new Map<number, Task>()
  #last = 1

  constructor(connector: ProcConnector) {
    this.connector = connector
    this.init = new Task(this, 1, 1, undefined)
    this.#tasks.set(1, this.init)
  }
  /** The thread with that id. */
  find(pid: number): Task | undefined {
    return this.#tasks.get(pid)
  }
  /** All that live, by ascending id. */
  tasks(): Task[] {
    return [...this.#tasks.values()].sort((a, b) => a.pid - b.pid)
  }
  /** copy_process(); for Task. */
  start(from: Task, isThread: boolean): Task {
    if (from.isDead) throw new NetlinkError('ESRCH')
    const pid = this.#newPid()
    const task = new Task(this, pid, isThread ? from.tgid : pid, isThread ? from.parent : from)
    task.comm = from.comm
    this.#tasks.set(pid, task)
    this.connector.tell({
      what: 'fork',
      parentPid: task.parent?.pid ?? 0,
      parentTgid: task.parent?.tgid ?? 0,
      childPid: task.pid,
      childTgid: task.tgid,
    })
    return task
  }
  /** release_task(): its children are adopted; for Task. */
  end(task: Task): void {
    this.#tasks.delete(task.pid)
    for (const other of this.#tasks.values()) if (other.parent === task) other.parent = this.init
  }

  /** alloc_pid(): the next one that is free, in a circle. */
  #newPid(): number {
    for (let tries = 0; tries < PID_MAX; tries++) {
      this.#last = this.#last + 1 >= PID_MAX ? RESERVED_PIDS : this.#last + 1
      if (!this.#tasks.has(this.#last)) return this.#last
    }
    throw new NetlinkError('EAGAIN', { message: 'no process id is free' })
  }
}
