/**
 * The door `nl.processes`: fork, exec, exit and kin, as the process connector tells them.
 *
 * Linux says yes to whoever asks to listen, and ignores those in a user or pid namespace without a
 * word; and it counts a listener that goes without saying so for ever. So only the acknowledgement
 * proves that it tells, and whoever listened says that it ignores on every way out.
 * Kernel: drivers/connector/cn_proc.c.
 */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import {
  PROC_CN_MCAST_IGNORE,
  PROC_CN_MCAST_LISTEN,
  PROC_EVENT_ALL,
  type ProcEvent,
  procEvent,
  procEventName,
  procInput,
} from '../families/cn-proc.ts'
import { CN_IDX_PROC, CN_MSG_SIZE, CN_VAL_PROC, cnMessage, cnMsg } from '../families/connector.ts'
import type { Socket } from '../transport/transport.ts'
import { HOST_LE, NETLINK_CONNECTOR, NLMSG_DONE, NLMSG_HDRLEN, Writer } from '../wire/index.ts'
import { onAbort } from './abort.ts'
import type { DatagramEvents, DatagramSource } from './datagrams.ts'
import type { EventOptions } from './events.ts'
import type { OpenDatagrams } from './uevents.ts'

/** Milliseconds in which the acknowledgement of LISTEN comes, if it comes. */
const PATIENCE = 2000
/** EINVAL and kin: the event's errno is positive. */
const NONE = 'none'

type Told = Exclude<ProcEvent, { readonly what: typeof NONE }>
/** Names of process events. */
export type ProcessEventName = Exclude<Extract<ProcEvent['what'], string>, typeof NONE>
/** A process event; `what` says what else is in it. Ids are those of the first pid namespace. */
export type ProcessEvent = Told & { readonly type: 'process' }

export interface ProcessWatchOptions extends EventOptions {
  /** The events that are wanted; all unless given. */
  readonly events?: readonly ProcessEventName[] | undefined
}

function control(op: number, mask: number, ack: number): Uint8Array {
  const data = new Writer()
  procInput.put(data, { mcastOp: op, eventType: mask })
  // A mask is known since Linux 6.6; before, a message with one is not heard.
  if (mask === PROC_EVENT_ALL) data.trim(4)
  const w = new Writer()
  const mark = w.messageStart(NLMSG_DONE, 0, 0, 0)
  cnMsg.put(w, { idx: CN_IDX_PROC, val: CN_VAL_PROC, seq: 0, ack, len: data.length })
  w.put(data.peek())
  w.messageEnd(mark)
  return w.finish().slice()
}

/** The bits of `events`, and all of them when none is named. */
function maskOf(events: readonly ProcessEventName[] | undefined): number {
  if (!events || events.length === 0) return PROC_EVENT_ALL
  let mask = 0
  for (const event of events) {
    const w = new Writer()
    procEventName.put(w, event)
    mask |= w.view.getUint32(0, HOST_LE)
  }
  return mask >>> 0
}

function refusedToListen(errno: number): NetlinkError {
  const code = errnoName(errno)
  if (code !== 'ECONNREFUSED') return new NetlinkError(code, { syscall: 'sendmsg' })
  return new NetlinkError(code, {
    message:
      'nobody tells of processes here: the connector is in the first network namespace alone',
    hint: 'nsenter --net=/proc/1/ns/net, or without -n and unshare',
  })
}

function notHeard(): NetlinkError {
  return new NetlinkError('NETLINK_TIMEOUT', {
    message:
      'the kernel has not acknowledged the request to tell of processes: it ignores those that come from another user or pid namespace',
    hint: 'run it in the first user and pid namespace',
  })
}

/** One listener: LISTEN, its acknowledgement, IGNORE. */
class ProcessSource implements DatagramSource<ProcessEvent> {
  readonly protocol = NETLINK_CONNECTOR
  readonly group = CN_IDX_PROC
  readonly #mask: number
  readonly #wanted: ReadonlySet<unknown> | undefined
  /** Tells our acknowledgement from that of others, which comes to all. */
  readonly #ack = Math.floor(Math.random() * 0xffff_0000)
  #acknowledged: ((err: number) => void) | undefined
  #isListening = false

  constructor(events: readonly ProcessEventName[] | undefined) {
    this.#mask = maskOf(events)
    this.#wanted = this.#mask === PROC_EVENT_ALL ? undefined : new Set(events)
  }

  async start(socket: Socket, signal: AbortSignal): Promise<void> {
    const answer = new Promise<number>((resolve, reject) => {
      this.#acknowledged = resolve
      const timer = setTimeout(() => reject(notHeard()), PATIENCE)
      const unlisten = onAbort(signal, () => reject(signal.reason))
      const over = () => {
        clearTimeout(timer)
        unlisten()
      }
      this.#over = over
    })
    try {
      // A listener with a mask does not get the acknowledgement: the mask comes second.
      this.#send(socket, PROC_CN_MCAST_LISTEN, PROC_EVENT_ALL)
      this.#isListening = true
      const err = await answer
      if (err !== 0) throw new NetlinkError(errnoName(-err), { syscall: 'PROC_CN_MCAST_LISTEN' })
      if (this.#wanted) this.#send(socket, PROC_CN_MCAST_LISTEN, this.#mask)
    } finally {
      this.#acknowledged = undefined
      this.#over()
    }
  }
  #over: () => void = () => {}

  #send(socket: Socket, op: number, mask: number): void {
    const sent = socket.send([control(op, mask, this.#ack)])
    if (sent < 0) throw refusedToListen(sent)
  }

  decode(view: DataView, size: number): ProcessEvent | undefined {
    if (size < NLMSG_HDRLEN + CN_MSG_SIZE) return undefined
    const { idx, val, ack, data } = cnMessage.get(view, NLMSG_HDRLEN, size)
    if (idx !== CN_IDX_PROC || val !== CN_VAL_PROC) return undefined
    const event = procEvent.get(new DataView(data.buffer, data.byteOffset), 0, data.length)
    if (event.what === NONE) {
      if (ack === this.#ack + 1) this.#acknowledged?.((event as { err: number }).err)
      return undefined
    }
    // Others may have made the kernel tell before we asked.
    if (this.#acknowledged || (this.#wanted && !this.#wanted.has(event.what))) return undefined
    return { type: 'process', ...(event as Told) }
  }

  end(socket: Socket): void {
    if (this.#isListening) socket.send([control(PROC_CN_MCAST_IGNORE, PROC_EVENT_ALL, this.#ack)])
    this.#isListening = false
  }
}

export class ProcessDoor {
  readonly #open: OpenDatagrams

  constructor(open: OpenDatagrams) {
    this.#open = open
  }
  /**
   * Process events from the moment that `ready` of the result resolves, which the kernel's
   * acknowledgement does; `overrun` when some were lost. On every way out the kernel is told to
   * stop: leave the loop, or `close()`.
   * @throws (`ready` and the loop) NetlinkError ECONNREFUSED outside of the first network namespace,
   * EPERM, NETLINK_TIMEOUT where the kernel does not hear the request.
   */
  watch({ events, ...options }: ProcessWatchOptions = {}): DatagramEvents<ProcessEvent> {
    return this.#open(new ProcessSource(events), options)
  }
}
