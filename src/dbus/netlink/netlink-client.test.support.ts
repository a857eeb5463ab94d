/** A netlink socket that asks the family `dbus` by hand, for the tests of this room. */
import { errnoName } from '../../errno.ts'
import { dbus } from '../../families/dbus.ts'
import type { Credentials, Kernel } from '../../kernel/index.ts'
import type { AnyMessage } from '../../schema/index.ts'
import {
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { type DecodedMessage, decodeMessage } from '../message/index.ts'

const root: Credentials = { pid: 77, uid: 0, gid: 0, capabilities: 'all' }
const GENL_HDRLEN = 4
const MESSAGE = dbus.notifications.message

type OpNameOf = keyof typeof dbus.ops & string

/** A socket of NETLINK_GENERIC, and what came to it. */
export class NetlinkClient {
  readonly sock
  /** D-Bus messages that came, oldest first. */
  readonly inbox: DecodedMessage[] = []
  readonly #family: number
  readonly #buffer = new Uint8Array(1 << 17)
  #parts: Uint8Array[] = []

  constructor(kernel: Kernel, credentials: Credentials = root, portid = 0) {
    this.sock = kernel.netlink.socket(kernel.initNet, NETLINK_GENERIC, credentials)
    this.sock.bind(portid)
    this.#family = kernel.genl.find('dbus')!.id
  }

  /** Asks for an operation; its reply, or its errno's name. */
  ask(name: OpNameOf, value: Record<string, unknown> = {}): unknown {
    const op = dbus.ops[name] as {
      cmd: number
      do?: { request?: AnyMessage; reply?: AnyMessage }
    }
    const w = new Writer()
    const mark = w.messageStart(this.#family, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    w.put(Uint8Array.of(op.cmd, 1, 0, 0))
    op.do?.request?.encode(w, value as never)
    w.messageEnd(mark)
    this.sock.send([w.finish()])
    return this.#drain(op.do?.reply)
  }

  /** Reads all that waits; the last answer. */
  drain(): void {
    this.#drain(undefined)
  }

  #drain(reply: AnyMessage | undefined): unknown {
    let answer: unknown
    for (;;) {
      const length = this.sock.receive(this.#buffer)
      if (length < 0) return answer
      const view = viewOf(this.#buffer.subarray(0, length))
      const walker = new MessageWalker(view)
      while (walker.next()) {
        const body = walker.start + NLMSG_HDRLEN
        if (walker.type === NLMSG_ERROR) {
          const errno = view.getInt32(body, HOST_LE)
          answer ??= errno === 0 ? 'ok' : errnoName(errno)
        } else if (view.getUint8(body) === MESSAGE.cmd) {
          this.#take(MESSAGE.body.decode(view, body + GENL_HDRLEN, walker.end))
        } else {
          answer = reply?.decode(view, body + GENL_HDRLEN, walker.end)
        }
      }
    }
  }

  #take({
    msg,
    frag,
  }: {
    msg: Uint8Array
    frag?: { total?: number | undefined } | undefined
  }): void {
    this.#parts.push(msg.slice())
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0)
    if (frag && size < frag.total!) return
    this.inbox.push(decodeMessage(new Uint8Array(Buffer.concat(this.#parts))))
    this.#parts = []
  }
}
