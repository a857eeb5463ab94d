/** A netlink socket that asks the family `dbus`, and hears the messages that a bus sends to it. */
import { errnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import { dbus } from '../../families/dbus.ts'
import { nlctrl } from '../../families/nlctrl.ts'
import { nlmsgerrAttrs } from '../../families/nlmsgerr.ts'
import type { AnyMessage } from '../../schema/index.ts'
import type { Socket, Transport } from '../../transport/transport.ts'
import {
  GENL_ID_CTRL,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'

const GENL_HDRLEN = 4
/** int error, and the header of the request that is capped behind it. */
const NLMSGERR_BYTES = 4 + NLMSG_HDRLEN
const EAGAIN = -11
/** A datagram has a fragment of 48 KiB at most. */
const BUFFER = 128 * 1024
const MESSAGE = dbus.notifications.message

export type OpName = keyof typeof dbus.ops & string

interface Op {
  readonly cmd: number
  readonly do?: { readonly request?: AnyMessage; readonly reply?: AnyMessage }
}

interface Asked {
  readonly reply: AnyMessage | undefined
  answer: unknown
  resolve(answer: unknown): void
  reject(error: unknown): void
  readonly timer: NodeJS.Timeout
}

/** What a `message` of the family says. */
export interface Part {
  readonly msg: Uint8Array
  readonly frag?: { readonly offset?: number | undefined; readonly total?: number | undefined }
  readonly fds?: readonly bigint[]
}

export class FamilySocket {
  /** Hears parts of messages; the next one is read when it resolves. */
  heard: (part: Part) => Promise<void> | undefined = () => undefined
  /** Called once, when nothing comes any more. */
  ended: (error: NetlinkError) => void = () => undefined
  readonly #socket: Socket
  readonly #timeout: number
  readonly #asked = new Map<number, Asked>()
  #family = GENL_ID_CTRL
  #seq = 0
  #isClosed = false

  private constructor(socket: Socket, timeout: number) {
    this.#socket = socket
    this.#timeout = timeout
  }

  /** @throws NetlinkError ENOENT where the kernel has no such family; as the transport does */
  static async open(transport: Transport, netns: unknown, timeout: number): Promise<FamilySocket> {
    const options = { extAck: true, capAck: true }
    const init = { protocol: NETLINK_GENERIC, options, ...(netns === undefined ? {} : { netns }) }
    const socket = await transport.open(init)
    const opened = new FamilySocket(socket, timeout)
    void opened.#read()
    try {
      const found = await opened.#request(nlctrl.ops.getFamily as Op, nlctrl.version, {
        familyName: dbus.name,
      })
      opened.#family = (found as { familyId: number }).familyId
    } catch (error) {
      opened.close()
      throw error
    }
    return opened
  }

  /** Asks for an operation: its reply. @throws NetlinkError what the kernel refuses with; NETLINK_TIMEOUT */
  ask(name: OpName, value: Record<string, unknown> = {}): Promise<unknown> {
    return this.#request(dbus.ops[name] as Op, dbus.version, value)
  }

  #request(op: Op, version: number, value: Record<string, unknown>): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(closed())
    this.#seq = (this.#seq + 1) >>> 0
    const seq = this.#seq
    const w = new Writer()
    const mark = w.messageStart(this.#family, NLM_F_REQUEST | NLM_F_ACK, seq, 0)
    w.put(Uint8Array.of(op.cmd, version, 0, 0))
    op.do?.request?.encode(w, value as never)
    w.messageEnd(mark)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(seq)
        reject(new NetlinkError('NETLINK_TIMEOUT', { message: 'the kernel has not answered' }))
      }, this.#timeout)
      this.#asked.set(seq, { reply: op.do?.reply, answer: undefined, resolve, reject, timer })
      const sent = this.#socket.send([w.finish()])
      if (sent < 0) this.#finish(seq, new NetlinkError(errnoName(sent), { syscall: 'sendmsg' }))
    })
  }

  /** Harmless when repeated. */
  close(): void {
    this.#end(closed())
  }

  #end(error: NetlinkError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.close()
    for (const seq of [...this.#asked.keys()]) this.#finish(seq, error)
    this.ended(error)
  }

  #finish(seq: number, error?: NetlinkError): void {
    const asked = this.#asked.get(seq)
    if (!asked) return
    this.#asked.delete(seq)
    clearTimeout(asked.timer)
    if (error) asked.reject(error)
    else asked.resolve(asked.answer)
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(BUFFER)
    try {
      while (!this.#isClosed) {
        const size = this.#socket.receive(buffer)
        if (size === EAGAIN) await this.#socket.readable()
        else if (size < 0) throw new NetlinkError(errnoName(size), { syscall: 'recvmsg' })
        else await this.#take(buffer, size)
      }
    } catch (error) {
      this.#end(error instanceof NetlinkError ? error : closed(error))
    }
  }

  async #take(buffer: Uint8Array, size: number): Promise<void> {
    if (size > buffer.length) throw new NetlinkError('EMSGSIZE', { syscall: 'recvmsg' })
    const view = viewOf(buffer)
    const walker = new MessageWalker(view, size)
    while (walker.next()) {
      const { payload, end, type, seq, flags } = walker
      if (type === NLMSG_ERROR) this.#acknowledged(view, payload, end, seq, flags)
      else if (type === this.#family && view.getUint8(payload) === MESSAGE.cmd) {
        const taken = this.heard(MESSAGE.body.decode(view, payload + GENL_HDRLEN, end) as Part)
        if (taken !== undefined) await taken
      } else {
        const asked = this.#asked.get(seq)
        if (asked?.reply) asked.answer = asked.reply.decode(view, payload + GENL_HDRLEN, end)
      }
    }
  }

  #acknowledged(view: DataView, at: number, end: number, seq: number, flags: number): void {
    const errno = view.getInt32(at, HOST_LE)
    if (errno === 0) {
      this.#finish(seq)
      return
    }
    const behind = at + NLMSGERR_BYTES
    const { msg } =
      flags & NLM_F_ACK_TLVS ? nlmsgerrAttrs.get(view, behind, end) : { msg: undefined }
    this.#finish(seq, new NetlinkError(errnoName(errno), msg))
  }
}

function closed(cause?: unknown): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', {
    message: 'the connection to the bus is closed',
    cause,
  })
}
