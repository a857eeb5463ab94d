/**
 * A process of scene 1: `talker.js listen|speak KERNEL [NETNS]`. It prints what it hears, or what
 * its sends answer, a line each.
 */
import { transportTo } from '../../transport/choose.ts'
import type { Socket } from '../../transport/transport.ts'
import { NETLINK_USERSOCK } from '../../wire/constants.ts'

const LISTENER = 2
const SPEAKER = 1
/** A listener that nobody speaks to ends by itself, milliseconds. */
const PATIENCE = 15_000

const [role, kernel, netns] = process.argv.slice(2)

async function listen(socket: Socket): Promise<void> {
  console.log('ready')
  const buffer = new Uint8Array(4096)
  const patience = AbortSignal.timeout(PATIENCE)
  for (;;) {
    const length = socket.receive(buffer)
    if (length < 0) {
      await socket.readable(patience)
      continue
    }
    const words = new TextDecoder().decode(buffer.subarray(0, length))
    const through = socket.senderGroup ? `group ${socket.senderGroup}` : `port ${socket.portid}`
    console.log(`"${words}" from port ${socket.senderPortid} to ${through}`)
    if (words === 'bye') return
  }
}

/** The errno of a send that is refused: over a Unix socket the next receive may be what tells it. */
async function refusal(socket: Socket, sent: number): Promise<number> {
  if (sent < 0) return sent
  await socket.readable(AbortSignal.timeout(PATIENCE))
  return socket.receive(new Uint8Array(16))
}

async function speak(socket: Socket): Promise<void> {
  const say = (words: string, to: { portid?: number; group?: number }): number =>
    socket.send([new TextEncoder().encode(words)], to)
  console.log(`to port ${LISTENER}: ${say('Hello Process', { portid: LISTENER })}`)
  for (const group of [3, 4, 5]) {
    const refused = await refusal(socket, say(`Hello ${group}`, { group }))
    console.log(`to group ${group}: ${refused}`)
  }
  console.log(`to port 9: ${await refusal(socket, say('Hello?', { portid: 9 }))}`)
  say('bye', { portid: LISTENER })
}

const isListener = role === 'listen'
const transport = await transportTo(kernel)
const socket = await transport.open({
  protocol: NETLINK_USERSOCK,
  portid: isListener ? LISTENER : SPEAKER,
  groups: isListener ? [3, 5] : [],
  ...(netns === undefined ? {} : { netns }),
})
if (isListener) await listen(socket)
else await speak(socket)
socket.close()
