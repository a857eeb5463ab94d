/** Sockets in several threads: ids that the threads choose, and ids that the kernel chooses. */
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads'
import { transportTo } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'
import { greeting, hear } from './greeting.ts'

const THREADS = 3
const kernel = await transportTo(process.env.NLKIT_KERNEL) // unix:PATH, or this machine's

if (isMainThread) {
  const socket = await kernel.open({ protocol: NETLINK_USERSOCK })
  const automatic = new Set([socket.portid])
  const workers = Array.from({ length: THREADS }, () => {
    return new Worker(new URL(import.meta.url), { workerData: socket.portid })
  })
  for (const worker of workers) worker.on('message', (portid) => automatic.add(portid))
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
  const lines: string[] = []
  for (let i = 0; i < THREADS; i++) {
    const { words, from } = await hear(socket)
    lines.push(`${words}, from its own id: ${from >>> 16 === Number(words.at(-1))}`)
    socket.send([greeting(socket, 'welcome')], { portid: from })
  }
  await Promise.all(ended)
  console.log(lines.sort().join('\n'))
  console.log('automatic ids, all different:', automatic.size === THREADS + 1)
  socket.close()
} else {
  const chosen = ((threadId << 16) | (process.pid & 0xffff)) >>> 0
  const socket = await kernel.open({ protocol: NETLINK_USERSOCK, portid: chosen })
  const automatic = await kernel.open({ protocol: NETLINK_USERSOCK })
  parentPort?.postMessage(automatic.portid)
  socket.send([greeting(socket, `thread ${threadId}`)], { portid: workerData })
  const { words, from } = await hear(socket)
  if (words !== 'welcome' || from !== workerData) throw new Error(`${words} from ${from}`)
  for (const each of [socket, automatic]) each.close()
}
