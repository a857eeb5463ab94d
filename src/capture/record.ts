/** Recording: what a kernel and its processes say to each other, as a pcapng file. */
import type { Kernel } from '../kernel/kernel.ts'
import { encodeFrame } from './frame.ts'
import { pcapngHeader } from './packets.ts'

/** Where a recording goes: whole blocks, in order. */
export type RecordSink = (block: Uint8Array) => void

/**
 * Gives `sink` a file's beginning, then every datagram of `kernel` from now on, until the result is
 * called.
 */
export function recordKernel(kernel: Kernel, sink: RecordSink): () => void {
  const { clock } = kernel
  const start = clock.realtime() - clock.monotonic()
  sink(pcapngHeader())
  return kernel.netlink.addTap((skb, to) => {
    const time = BigInt(Math.round((start + clock.monotonic()) * 1000)) * 1000n
    const { protocol, isKernel } = to
    sink(encodeFrame({ time, protocol, toKernel: isKernel, bytes: skb.peek() }))
  })
}
