/**
 * Unicast: to the one socket that has a port.
 *
 * Kernel: net/netlink/af_netlink.c netlink_unicast(), netlink_getsockbyportid(),
 * netlink_attachskb() (Linux 6.12).
 */
import { EAGAIN, ECONNREFUSED, EINTR } from '../errno.ts'
import { deliverToKernel } from './input.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'

/** How long a sender waits for room. */
export interface SendWait {
  /** Milliseconds, Infinity for as long as it takes. */
  readonly timeout: number
  /** A signal in Linux' sense: the wait ends with -EINTR. */
  readonly signal?: AbortSignal | undefined
}

/** netlink_getsockbyportid(): the holder of `portid`, unless it is connected to somebody else. */
function receiverOf(ssk: NetlinkSock, portid: number): NetlinkSock | undefined {
  const sk = ssk.ports.get(portid)
  return sk?.isConnected && sk.dstPortid !== ssk.portid ? undefined : sk
}

/** What becomes of it when its receiver is full. */
const FULL = Symbol('full')

function deliver(ssk: NetlinkSock, skb: Skb, portid: number): number | typeof FULL {
  const sk = receiverOf(ssk, portid)
  if (!sk) {
    skb.free()
    return -ECONNREFUSED
  }
  if (sk.isKernel) return deliverToKernel(sk, skb, ssk)
  const { length } = skb
  const taken = sk.filter ? sk.accepts(skb) : length
  if (taken === 0) {
    skb.free()
    return length
  }
  if (!sk.queue.hasRoom(skb.truesize)) {
    if (ssk.isKernel) sk.overrun()
    return FULL
  }
  if (taken < length) skb.trim(taken)
  sk.netlink.deliverTap(skb, sk)
  sk.queue.push(skb)
  sk.dataReady?.()
  return taken
}

/**
 * Sends `skb`, whose truesize is set, from `ssk` to `portid` and consumes it. Never waits.
 * @returns the number of bytes, also of those that the receiver's filter does not take;
 * -ECONNREFUSED when nobody has the port, or when its holder is connected to somebody else; -EAGAIN
 * when the queue is full (a kernel's message is then lost to an overrun).
 */
export function netlinkUnicast(ssk: NetlinkSock, skb: Skb, portid: number): number {
  const sent = deliver(ssk, skb, portid)
  if (sent !== FULL) return sent
  skb.free()
  return -EAGAIN
}

/**
 * The same for a process that may wait: while the receiver is full it sleeps, and tries again at
 * each read of the receiver's, or when that is closed.
 * @returns at once where there is no need to wait; -EAGAIN when the time is over, -EINTR after a
 * signal.
 */
export function netlinkUnicastWait(
  ssk: NetlinkSock,
  skb: Skb,
  portid: number,
  wait: SendWait,
): number | Promise<number> {
  const sent = deliver(ssk, skb, portid)
  if (sent !== FULL) return sent
  if (wait.timeout > 0) return waitForRoom(ssk, skb, portid, wait)
  skb.free()
  return -EAGAIN
}

async function waitForRoom(
  ssk: NetlinkSock,
  skb: Skb,
  portid: number,
  { timeout, signal }: SendWait,
): Promise<number> {
  const { clock } = ssk.netlink.kernel
  let verdict = 0
  let wake = (): void => {}
  const end = (errno: number): void => {
    verdict ||= errno
    wake()
  }
  const interrupt = (): void => end(-EINTR)
  const cancel = Number.isFinite(timeout) ? clock.setTimer(() => end(-EAGAIN), timeout) : undefined
  signal?.addEventListener('abort', interrupt, { once: true })
  if (signal?.aborted) interrupt()
  try {
    for (;;) {
      const sk = receiverOf(ssk, portid)
      if (sk && verdict === 0) {
        await new Promise<void>((resolve) => {
          const leave = sk.senders.add(resolve)
          wake = () => {
            leave()
            resolve()
          }
        })
      }
      const sent = deliver(ssk, skb, portid)
      if (sent !== FULL) return sent
      if (verdict !== 0) {
        skb.free()
        return verdict
      }
    }
  } finally {
    cancel?.()
    signal?.removeEventListener('abort', interrupt)
  }
}
