/**
 * Process events: told in group 1 of the connector while somebody listens.
 *
 * Kernel: drivers/connector/cn_proc.c (Linux 6.12).
 */
import {
  PROC_CN_MCAST_IGNORE,
  PROC_CN_MCAST_LISTEN,
  PROC_EVENT_ALL,
  PROC_EVENT_EXIT,
  PROC_EVENT_NONZERO_EXIT,
  type ProcEventInput,
  procEvent,
  procInput,
} from '../../families/cn-proc.ts'
import { CN_IDX_PROC, CN_VAL_PROC } from '../../families/connector.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { EINVAL } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { BroadcastFilter } from '../netlink/broadcast.ts'
import type { NetlinkSock } from '../netlink/sock.ts'
import type { CnParms, Connector } from './connector.ts'
import type { CnMsg } from './message.ts'

const ID = { idx: CN_IDX_PROC, val: CN_VAL_PROC }
/** Where in a proc_event the CPU stands. */
const CPU_OFFSET = 4

/** What a socket wants (struct proc_input). */
interface Listener {
  /** PROC_CN_MCAST_LISTEN, PROC_CN_MCAST_IGNORE, or whatever was sent. */
  op: number
  mask: number
}

export class ProcConnector {
  /**
   * As in Linux, a listener that closes without IGNORE is counted for ever: events are built for
   * nobody. False counts it out.
   */
  leaksListeners = true
  readonly #kernel: Kernel
  readonly #connector: Connector
  readonly #listeners = new WeakMap<NetlinkSock, Listener>()
  /** Events of each CPU: their sequence numbers. */
  readonly #counts: number[] = []
  readonly #writer = new Writer(64)
  #count = 0

  constructor(kernel: Kernel, connector: Connector) {
    this.#kernel = kernel
    this.#connector = connector
    connector.addCallback(ID, 'cn_proc', (msg, parms) => this.#control(msg, parms))
    connector.onRelease((sock) => this.#release(sock))
  }
  /** proc_event_num_listeners: nothing is told while it is below 1. */
  get listeners(): number {
    return this.#count
  }
  /** proc_fork_connector() and kin: tells an event that happens on `cpu`. */
  tell(event: ProcEventInput, cpu = 0): void {
    if (this.#count < 1) return
    this.#send(event, cpu, 0)
  }

  /** send_msg(): number and CPU are set here, whatever the event says. */
  #send(event: ProcEventInput, cpu: number, ack: number): void {
    const writer = this.#writer
    const timestampNs = BigInt(Math.round(this.#kernel.clock.monotonic() * 1e6))
    writer.trim(0)
    procEvent.put(writer, { timestampNs, ...event })
    writer.view.setUint32(CPU_OFFSET, cpu, HOST_LE)
    const seq = this.#counts[cpu] ?? 0
    this.#counts[cpu] = (seq + 1) >>> 0
    const what = writer.view.getUint32(0, HOST_LE)
    const exitCode = event.what === 'exit' ? (event.exitCode ?? 0) : 0
    const msg = { ...ID, seq, ack, data: writer.peek() }
    this.#connector.netlinkSend(msg, { group: CN_IDX_PROC, filter: this.#filter(what, exitCode) })
  }
  /** cn_filter(): members that never asked for anything get everything. */
  #filter(what: number, exitCode: number): BroadcastFilter {
    return (sock) => {
      const listener = this.#listeners.get(sock)
      if (!listener) return false
      const { op, mask } = listener
      if (op === PROC_CN_MCAST_IGNORE) return true
      if (mask === PROC_EVENT_ALL) return false
      const isFailure = what === PROC_EVENT_EXIT && exitCode !== 0
      if (isFailure && (mask & PROC_EVENT_NONZERO_EXIT) !== 0) return false
      return (mask & what) === 0
    }
  }
  /** cn_proc_mcast_ctl(). */
  #control({ ack, data }: CnMsg, { credentials, sk }: CnParms): void {
    const { userNs } = credentials
    if (userNs && userNs !== this.#kernel.initUserNs) return
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    let input: { mcastOp: number; eventType: number }
    if (data.length === procInput.size) input = procInput.get(view, 0, data.length)
    else if (data.length === 4) input = { mcastOp: view.getUint32(0, HOST_LE), eventType: 0 }
    else return
    const op = input.mcastOp
    const mask = (input.eventType & PROC_EVENT_ALL) >>> 0 || PROC_EVENT_ALL
    const before = this.#listeners.get(sk)
    const listener = { op, mask }
    this.#listeners.set(sk, listener)
    let err = 0
    if (op === PROC_CN_MCAST_LISTEN) {
      if (before?.op !== PROC_CN_MCAST_LISTEN) this.#count++
    } else if (op === PROC_CN_MCAST_IGNORE) {
      if (before && before.op !== PROC_CN_MCAST_IGNORE) this.#count--
      listener.mask = 0
    } else err = EINVAL
    if (this.#count >= 1) this.#send({ what: 'none', err }, 0, (ack + 1) >>> 0)
  }
  /** cn_release(). */
  #release(sock: NetlinkSock): void {
    if (!this.leaksListeners && this.#listeners.get(sock)?.op === PROC_CN_MCAST_LISTEN) {
      this.#count--
    }
    this.#listeners.delete(sock)
  }
}
