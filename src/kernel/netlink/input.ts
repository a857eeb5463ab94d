/**
 * Delivery to a kernel socket: its `input` runs in the sender's call.
 *
 * Where `input` returns a promise, the sender's later datagrams wait behind it, in a queue of
 * their own with an end; other senders do not.
 *
 * Kernel: net/netlink/af_netlink.c netlink_unicast_kernel().
 */
import { EAGAIN, ECONNREFUSED } from '../errno.ts'
import { KERN_ERR } from '../printk/log.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'

/** Datagrams that may wait behind an unfinished one of the same sender. */
const MOST_WAITING = 256

/** What of a sender waits for a kernel socket. */
export interface PendingInput {
  readonly waiting: { readonly sk: NetlinkSock; readonly skb: Skb }[]
}

/**
 * Hands `skb` to the kernel socket `sk` and consumes it.
 * @returns its length whatever comes of it; -ECONNREFUSED when nobody may write to `sk`, -EAGAIN
 * when too much of this sender waits already.
 */
export function deliverToKernel(sk: NetlinkSock, skb: Skb, ssk: NetlinkSock): number {
  const { length } = skb
  if (!sk.input) {
    skb.free()
    return -ECONNREFUSED
  }
  skb.sender = ssk
  skb.owner = sk
  sk.netlink.deliverTap(skb, sk)
  const pending = ssk.pendingInput
  if (!pending) run(sk, skb, ssk)
  else if (pending.waiting.length >= MOST_WAITING) {
    skb.free()
    return -EAGAIN
  } else pending.waiting.push({ sk, skb })
  return length
}

function run(sk: NetlinkSock, skb: Skb, ssk: NetlinkSock): void {
  const result = callInput(sk, skb)
  if (result === undefined) {
    skb.free()
    return
  }
  ssk.pendingInput ??= { waiting: [] }
  const done = (): void => {
    skb.free()
    goOn(ssk)
  }
  result.then(done, (error) => {
    logFailure(sk, error)
    done()
  })
}

function callInput(sk: NetlinkSock, skb: Skb): void | Promise<void> {
  try {
    return sk.isClosed ? undefined : sk.input?.(skb)
  } catch (error) {
    return logFailure(sk, error)
  }
}

/** The datagram in front is done with: goes on with those behind it. */
function goOn(ssk: NetlinkSock): void {
  const waiting = ssk.pendingInput?.waiting ?? []
  ssk.pendingInput = undefined
  for (let first = waiting.shift(); first; first = waiting.shift()) {
    run(first.sk, first.skb, ssk)
    const pending = pendingOf(ssk)
    if (pending) {
      pending.waiting.push(...waiting)
      return
    }
  }
}

/** What became of it in a call: the checker does not look there. */
function pendingOf(ssk: NetlinkSock): PendingInput | undefined {
  return ssk.pendingInput
}

function logFailure(sk: NetlinkSock, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  sk.netlink.kernel.printk(KERN_ERR, `netlink: input of protocol ${sk.protocol} failed: ${text}`)
}
