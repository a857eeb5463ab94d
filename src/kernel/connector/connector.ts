/**
 * The connector: messages by a pair of numbers, over one netlink protocol in the first namespace.
 *
 *   const stop = kernel.connector.addCallback({ idx: 20, val: 1 }, 'door', (msg, parms) => {
 *     kernel.connector.netlinkSend({ ...msg, ack: msg.ack + 1 }, { portid: parms.portid })
 *   })
 *
 * Kernel: drivers/connector/connector.c, cn_queue.c (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import {
  type CbId,
  CN_IDX_PROC,
  CN_MSG_SIZE,
  CN_NETLINK_USERS,
  CONNECTOR_MAX_MSG_SIZE,
  cnMsg,
} from '../../families/connector.ts'
import { NETLINK_CONNECTOR, NLMSG_DONE, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { type Credentials, nsCapable } from '../credentials.ts'
import { ENODEV, ESRCH } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { BroadcastFilter } from '../netlink/broadcast.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import type { Skb } from '../netlink/skb.ts'
import type { NetlinkSock } from '../netlink/sock.ts'
import { KERN_ERR } from '../printk/log.ts'
import { type CnMsg, type CnMsgInput, putCnMsg, readCnMsg } from './message.ts'

/** Where a message comes from (struct netlink_skb_parms). */
export interface CnParms {
  readonly portid: number
  readonly credentials: Credentials
  /** The sender's socket. */
  readonly sk: NetlinkSock
  /** 0, as messages to the kernel are unicasts. */
  readonly dstGroup: number
}
/** Gets each message of its id, in the sender's call. */
export type CnCallback = (msg: CnMsg, parms: CnParms) => void

/** Whom a message goes to; with neither port nor group, to the group of its id. */
export interface CnTarget {
  /** Without a group the receiver; with one, who gets none. */
  readonly portid?: number
  readonly group?: number
  /** Members for which it is true get none. */
  readonly filter?: BroadcastFilter
}
/**
 * Who may join groups without CAP_NET_ADMIN: as Linux has it, every group with an odd number, for
 * it looks for a bit of the number where a bit of a mask was meant; or, as intended, group 1.
 */
export type CnBindRule = 'linux' | 'intended'

/** A callback that is registered (struct cn_callback_entry). */
export interface CnEntry {
  readonly id: CbId
  /** At most 31 characters. */
  readonly name: string
  /** Where messages of its id go that name nobody: idx. */
  readonly group: number
  readonly callback: CnCallback
}

/** CN_CBQ_NAMELEN, with the NUL. */
const NAME_SIZE = 32

export class Connector {
  readonly kernel: Kernel
  bindRule: CnBindRule = 'linux'
  readonly #sock: KernelSocket
  readonly #entries: CnEntry[] = []
  readonly #releases = new Set<(sock: NetlinkSock) => void>()

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.#sock = kernel.netlink.create(kernel.initNet, NETLINK_CONNECTOR, {
      groups: CN_NETLINK_USERS + 0xf,
      nonrootRecv: true,
      input: (skb) => this.#receive(skb),
      bind: (net, group, current) => this.#bind(net, group, current),
      release: (sock) => {
        for (const release of this.#releases) release(sock)
      },
    })
  }
  /**
   * cn_add_callback(): `callback` gets each message of `id`, in the sender's call. A name is cut
   * behind 31 characters.
   * @returns takes it away again; harmless when repeated.
   * @throws NetlinkError EINVAL when the id is taken, EAGAIN when the connector is closed.
   */
  addCallback(id: CbId, name: string, callback: CnCallback): () => void {
    if (this.#sock.isClosed) throw new NetlinkError('EAGAIN', { message: 'no connector' })
    const { idx, val } = id
    if (this.#find(idx, val)) {
      const message = `connector: ${idx}.${val} is ${this.#find(idx, val)?.name}'s already`
      throw new NetlinkError('EINVAL', { message })
    }
    const entry = { id: { idx, val }, name: name.slice(0, NAME_SIZE - 1), group: idx, callback }
    this.#entries.push(entry)
    const remove = (): boolean => this.#remove(entry)
    this.kernel.modules.current?.own(remove)
    return remove
  }
  /** cn_del_callback(): a message that is being handled is finished. Nothing for an unknown id. */
  delCallback({ idx, val }: CbId): void {
    this.#remove(this.#find(idx, val))
  }
  /**
   * cn_netlink_send(): to a port, to a group but not to `portid` in it, or to the group of the
   * message's id.
   * @returns 0 or more; -ENODEV when neither is given and the id is unknown; -ESRCH when nobody
   * listens; -ENOBUFS, -ECONNREFUSED and -EAGAIN as broadcast and unicast have them.
   * @throws EncodeError when `msg` is no message.
   */
  netlinkSend(msg: CnMsgInput, target: CnTarget = {}): number {
    return this.#send(msg, target, (skb) => putCnMsg(skb, msg))
  }
  /**
   * cn_netlink_send_mult(): several messages back to back in one datagram, whose header and
   * destination are the first one's.
   * @returns as `netlinkSend`. @throws EncodeError; TypeError when there is none.
   */
  netlinkSendMult(msgs: readonly CnMsgInput[], target: CnTarget = {}): number {
    const [first] = msgs
    if (!first) throw new TypeError('one message at least')
    return this.#send(first, target, (skb) => {
      for (const msg of msgs) putCnMsg(skb, msg)
    })
  }
  /**
   * cn_netlink_send() to the group of an id, of a message that is bytes already: a cn_msg with its
   * data.
   * @returns as `netlinkSend`.
   */
  relay(idx: number, val: number, seq: number, bytes: Uint8Array): number {
    return this.#send({ idx, val, seq }, {}, (skb) => skb.put(bytes))
  }
  /** The callbacks in their order. */
  entries(): readonly CnEntry[] {
    return [...this.#entries]
  }
  /** /proc/net/connector. */
  procText(): string {
    const rows = this.#entries.map(
      ({ name, id }) => `${name.padEnd(15)} ${id.idx >>> 0}:${id.val >>> 0}\n`,
    )
    return `Name            ID\n${rows.join('')}`
  }
  /** Calls `release` for each socket that closes. @returns stops that. */
  onRelease(release: (sock: NetlinkSock) => void): () => void {
    this.#releases.add(release)
    return () => {
      this.#releases.delete(release)
    }
  }
  /** cn_fini(): nobody is heard or answered any more. Harmless when repeated. */
  close(): void {
    this.#entries.length = 0
    this.#sock.release()
  }

  #find(idx: number, val: number): CnEntry | undefined {
    return this.#entries.find(({ id }) => id.idx === idx && id.val === val)
  }
  #remove(entry: CnEntry | undefined): boolean {
    const at = entry ? this.#entries.indexOf(entry) : -1
    if (at >= 0) this.#entries.splice(at, 1)
    return at >= 0
  }
  /** cn_bind(). @throws NetlinkError EPERM */
  #bind(net: Net, group: number, current: Credentials): void {
    if (nsCapable(current, net.userNs, 'CAP_NET_ADMIN')) return
    const isAllowed = this.bindRule === 'linux' ? (group & 1) === 1 : group === CN_IDX_PROC
    if (!isAllowed) throw new NetlinkError('EPERM')
  }
  #send(
    { idx, val, seq = 0 }: CnMsgInput,
    { portid = 0, group = 0, filter }: CnTarget,
    put: (skb: Skb) => void,
  ): number {
    const sock = this.#sock
    let to = group
    if (portid === 0 && group === 0) {
      const entry = this.#find(idx, val)
      if (!entry) return -ENODEV
      to = entry.group
    }
    if (portid === 0 && !sock.hasListeners(to)) return -ESRCH
    const skb = sock.alloc()
    try {
      const mark = skb.messageStart(NLMSG_DONE, 0, seq, 0)
      put(skb)
      skb.messageEnd(mark)
    } catch (error) {
      skb.free()
      throw error
    }
    if (to === 0) return sock.unicast(skb, portid)
    return sock.broadcast(skb, filter ? { group: to, portid, filter } : { group: to, portid })
  }
  /** cn_rx_skb(), cn_call_callback(): the first message alone; what does not fit is dropped. */
  #receive(skb: Skb): void {
    const { view, length } = skb
    if (length < NLMSG_HDRLEN) return
    const size = view.getUint32(0, HOST_LE)
    const payload = size - NLMSG_HDRLEN
    if (payload < CN_MSG_SIZE || size > length || payload > CONNECTOR_MAX_MSG_SIZE) return
    const { idx, val, len } = cnMsg.get(view, NLMSG_HDRLEN, NLMSG_HDRLEN + CN_MSG_SIZE)
    if (payload < CN_MSG_SIZE + len) return
    const entry = this.#find(idx, val)
    if (entry) this.#call(entry, readCnMsg(view, NLMSG_HDRLEN), skb)
  }
  #call({ callback, name }: CnEntry, msg: CnMsg, skb: Skb): void {
    const { portid, credentials, dstGroup } = skb
    const sk = skb.sender as NetlinkSock
    try {
      const result: unknown = callback(msg, { portid, credentials, sk, dstGroup })
      if (!(result instanceof Promise)) return
      result.catch((error) => this.#logFailure(name, error))
      const text = `connector: ${name} returned a promise, and runs in its sender's call\n`
      this.kernel.printk(KERN_ERR, text)
    } catch (error) {
      this.#logFailure(name, error)
    }
  }
  #logFailure(name: string, error: unknown): void {
    const story = error instanceof Error ? (error.stack ?? String(error)) : String(error)
    this.kernel.printk(KERN_ERR, `connector: ${name} failed: ${story}\n`)
  }
}
