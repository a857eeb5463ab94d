/** Text in a message of its own, as the programs beside this one exchange it. */
import type { Socket } from 'nlkit/transport'
import { MessageWalker, viewOf, Writer } from 'nlkit/wire'

const text = new TextEncoder()

/** An nlmsghdr, type 16, and the text behind it. */
export function greeting(socket: Socket, words: string): Uint8Array {
  const w = new Writer()
  const start = w.messageStart(16, 0, 1, socket.portid)
  w.put(text.encode(words))
  w.messageEnd(start)
  return w.peek()
}

/** The errno of a send that is refused: over a Unix socket the next receive may be what tells it. */
export async function refusal(socket: Socket, sent: number): Promise<number> {
  if (sent < 0) return sent
  await socket.readable(AbortSignal.timeout(10_000))
  return socket.receive(new Uint8Array(4096))
}

/** The next datagram: its words, whom they are from, and through which group. */
export async function hear(
  socket: Socket,
): Promise<{ words: string; from: number; group: number }> {
  const buffer = new Uint8Array(4096)
  let length = socket.receive(buffer)
  for (; length < 0; length = socket.receive(buffer))
    await socket.readable(AbortSignal.timeout(10_000))
  const message = new MessageWalker(viewOf(buffer.subarray(0, length)))
  message.next()
  const words = new TextDecoder().decode(buffer.subarray(message.payload, message.end))
  return { words, from: socket.senderPortid, group: socket.senderGroup }
}
