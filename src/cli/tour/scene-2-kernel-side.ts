/** Scene 2: the kernel's end of a protocol of one's own. */
import { isNetlinkError } from '../../index.ts'
import type { KernelSocket, Skb } from '../../kernel/index.ts'
import { Kernel } from '../../kernel/index.ts'
import type { Socket } from '../../transport/transport.ts'
import type { Scene, Stage } from './scene.ts'
import { liveName } from './sides.ts'

/** A number that Linux has not given away. */
const PROTOCOL = 17
const GROUP = 1
const ENOBUFS = -105
const EAGAIN = -11

const CODE = [
  `const sock = kernel.netlink.create(kernel.initNet, ${PROTOCOL}, {`,
  `  input(skb) { sock.enqueue(skb); sock.wait.wakeUp() },       // in the sender's call`,
  `})`,
  `kernel.kthreadRun('nl_thread', async ({ signal }) => {`,
  `  for (;;) answer(await sock.receive(signal))                 // sleeps until input wakes it`,
  `})`,
] as const

const text = new TextEncoder()
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Reads what is queued: texts, and errnos as they are. */
function drain(socket: Socket): (string | number)[] {
  const buffer = new Uint8Array(4096)
  const all: (string | number)[] = []
  for (let length = socket.receive(buffer); length !== EAGAIN; length = socket.receive(buffer))
    all.push(length < 0 ? length : textOf(buffer.subarray(0, length)))
  return all
}

interface Server {
  readonly sock: KernelSocket
  /** In the order in which it happened. */
  readonly log: string[]
}

function serve(kernel: Kernel): Server {
  const log: string[] = []
  const sock = kernel.netlink.create(kernel.initNet, PROTOCOL, {
    nonrootRecv: true,
    input(skb: Skb) {
      log.push(`input: "${textOf(skb.peek())}" from port ${skb.portid}`)
      sock.enqueue(skb)
      sock.wait.wakeUp()
    },
  })
  kernel.kthreadRun('nl_thread', async ({ signal, shouldStop }) => {
    while (!shouldStop) {
      const skb = await sock.receive(signal)
      log.push(`thread woken: "${textOf(skb.peek())}"`)
      const { portid } = skb
      skb.free()
      sock.unicast(text.encode('an answer from the thread'), portid)
    }
  })
  return { sock, log }
}

async function overrun(stage: Stage, { sock }: Server, slow: Socket, quick: Socket): Promise<void> {
  await slow.setOption('receiveBuffer', 4096)
  let heard = 0
  for (let i = 1; i <= 20; i++) {
    sock.broadcast(text.encode(`event ${i}`), { group: GROUP })
    heard += drain(quick).length
  }
  const [first, ...rest] = drain(slow)
  stage.say(
    `20 events: ${heard} for who reads; for who does not ENOBUFS first, then ${rest.length}`,
    '',
  )
  stage.equal('events that the quick one heard', heard, 20)
  stage.equal('what the slow one reads first', first, ENOBUFS)
  stage.equal('what the slow one reads then', rest[0], 'event 1')
  stage.equal('whether the slow one lost some', rest.length < 20 && rest.length > 0, true)
}

export const scene: Scene = {
  number: '2',
  title: 'A protocol of one’s own: input, a kernel thread, unicast, broadcast, an overrun',
  async run(stage) {
    stage.say(`${liveName()}: not shown, Linux takes new protocols from its modules alone`, '')
    stage.code(...CODE)
    await using kernel = new Kernel()
    const transport = kernel.transport()
    const early = await transport.open({ protocol: PROTOCOL }).catch((error) => error)
    stage.equal(
      'a protocol that nobody serves',
      isNetlinkError(early) && early.code,
      'EPROTONOSUPPORT',
    )
    const server = serve(kernel)
    const one = await transport.open({ protocol: PROTOCOL, portid: 1, groups: [GROUP] })
    const two = await transport.open({ protocol: PROTOCOL, portid: 2, groups: [GROUP] })
    server.log.push(`send returned ${one.send([text.encode('work')])}`)
    await one.readable(stage.signal)
    stage.say(...server.log, '')
    stage.equalLists('what happened in which order', server.log, [
      'input: "work" from port 1',
      'send returned 4',
      'thread woken: "work"',
    ])
    stage.equalLists('what came back', drain(one), ['an answer from the thread'])
    const sent = server.sock.broadcast(text.encode('to all'), { group: GROUP, portid: 1 })
    stage.equal('broadcast', sent, 0)
    stage.equalLists(
      'what each member got, port 1 left out',
      [drain(one), drain(two)],
      [[], ['to all']],
    )
    await overrun(stage, server, one, two)
    stage.held('input before send returns, the thread after it; who is slow loses, and is told')
  },
}
