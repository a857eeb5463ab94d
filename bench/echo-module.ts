/** A kernel module: a protocol whose kernel socket sends back whatever it gets. For bench/served.ts. */
import { defineModule, type KernelSocket } from 'nlkit/kernel'

export const ECHO_PROTOCOL = 31

export const echo = defineModule({
  name: 'echo',
  license: 'MIT',
  init(kernel) {
    const sock: KernelSocket = kernel.netlink.create(kernel.initNet, ECHO_PROTOCOL, {
      input(skb) {
        const answer = sock.alloc(skb.length)
        answer.put(skb.peek())
        sock.unicast(answer, skb.portid)
      },
    })
    return () => void sock.release()
  },
})
