/** Scene 4: the connector, CBUS, process events and uevents. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cnMessage, cnMsg } from '../../families/connector.ts'
import {
  isNetlinkError,
  type KobjectEvent,
  type Netlink,
  open,
  type ProcessEvent,
} from '../../index.ts'
import { Kernel } from '../../kernel/index.ts'
import { NETLINK_CONNECTOR, NLMSG_DONE, NLMSG_HDRLEN, Writer } from '../../wire/index.ts'
import type { Scene, Stage } from './scene.ts'
import { liveName, NLKIT, reasonOf } from './sides.ts'

const ID = { idx: 20, val: 1 } as const
const INSERTS = 1_000_000
const BATCH = 1000
/** Inserts at the end, between which nothing is delivered. */
const BURST = 10_000
const TEXT = 'Hello connector'

/** A request to a callback, and its reply. */
async function connector(stage: Stage, kernel: Kernel): Promise<void> {
  stage.code(
    `kernel.connector.addCallback({ idx: 20, val: 1 }, 'echo', (msg, { portid }) =>`,
    `  kernel.connector.netlinkSend({ ...msg, ack: msg.ack + 1 }, { portid }))`,
  )
  const stop = kernel.connector.addCallback(ID, 'echo', (msg, { portid }) => {
    kernel.connector.netlinkSend({ ...msg, ack: msg.ack + 1 }, { portid })
  })
  const socket = await kernel.transport().open({ protocol: NETLINK_CONNECTOR })
  const data = new TextEncoder().encode(TEXT)
  const w = new Writer()
  const mark = w.messageStart(NLMSG_DONE, 0, 7, 0)
  cnMsg.put(w, { ...ID, seq: 7, ack: 0, len: data.length })
  w.put(data)
  w.messageEnd(mark)
  stage.equal('bytes sent', socket.send([w.peek()]), w.length)
  const buffer = new Uint8Array(1024)
  const size = socket.receive(buffer)
  const reply = cnMessage.get(new DataView(buffer.buffer), NLMSG_HDRLEN, size)
  socket.close()
  stop()
  stage.equal('the reply', [reply.idx, reply.val, reply.seq, reply.ack], [20, 1, 7, 1])
  stage.equal('its data', new TextDecoder().decode(reply.data.subarray(0, reply.len)), TEXT)
  stage.held(`connector: "${TEXT}" to 20/1 with seq 7, back with ack 1`)
}

/** Milliseconds that `work` takes. */
function cost(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

async function cbus(stage: Stage, kernel: Kernel): Promise<void> {
  const { cbus: bus } = kernel
  stage.say('')
  stage.code(`for (let i = 0; i < 1_000_000; i++) kernel.cbus.insert(msg)   // at the end a burst`)
  const listener = await kernel
    .transport()
    .open({ protocol: NETLINK_CONNECTOR, groups: [ID.idx], options: { receiveBuffer: 4 << 20 } })
  const stop = kernel.connector.addCallback(ID, 'scene', () => {})
  bus.whenFull = 'drop'
  const msg = { ...ID, seq: 0, ack: 0, flags: 0, data: new Uint8Array(16) }
  const buffer = new Uint8Array(256)
  const view = new DataView(buffer.buffer)
  let received = 0
  let last = -1
  const drain = (): void => {
    bus.flush()
    for (let size = listener.receive(buffer); size > 0; size = listener.receive(buffer)) {
      const { seq } = cnMsg.get(view, NLMSG_HDRLEN, size)
      if (seq <= last) stage.equal('the order: what follows', seq, last + 1)
      last = seq
      received++
    }
  }
  let [insert, push] = [0, 0]
  for (let first = 0; first < INSERTS; first += BATCH) {
    const array: object[] = []
    push += cost(() => {
      for (let i = 0; i < BATCH; i++) array.push(msg)
    })
    insert += cost(() => {
      for (let i = 0; i < BATCH; i++) {
        msg.seq = first + i
        bus.insert(msg)
      }
    })
    if (first < INSERTS - BURST) drain()
  }
  drain()
  const { inserted, sent, dropped, lost } = bus.stats()
  const each = (milliseconds: number): string => `${((milliseconds * 1e6) / INSERTS).toFixed(0)} ns`
  stage.columns(
    ['inserts', 'sent', 'dropped in the burst', 'lost', 'an insert', 'array.push'],
    [[...[inserted, sent, dropped, lost].map(String), each(insert), each(push)]],
  )
  stage.equal('inserts', inserted, INSERTS)
  stage.equal('what became of them', sent + dropped + lost, INSERTS)
  stage.equal('what was dropped', dropped, BURST - bus.maxQueueLength - 1)
  stage.equal('what the listener got', received, sent)
  listener.close()
  stop()
  stage.held(`CBUS: ${INSERTS} inserts, none waited, each accounted for, in order`)
}

/** What a watch tells of one process, from its fork to its exit. */
async function lifeOf(
  nl: Netlink,
  signal: AbortSignal,
  live: () => number | Promise<number>,
): Promise<string[]> {
  const events = nl.processes.watch({ events: ['fork', 'exec', 'exit'], signal })
  await events.ready
  const pid = await live()
  const seen: string[] = []
  for await (const event of events) {
    if (event.type !== 'process') continue
    const { what } = event
    if (pidOf(event) !== pid) continue
    if (what === 'exit') {
      seen.push(`exit, code ${(event.exitCode >> 8) & 0xff}`)
      break
    }
    if (!seen.includes(String(what))) seen.push(String(what))
  }
  return seen
}

function pidOf(event: ProcessEvent): number | undefined {
  if (event.what === 'fork') return event.childTgid
  return event.what === 'exec' || event.what === 'exit' ? event.processPid : undefined
}

async function processes(stage: Stage, kernel: Kernel): Promise<void> {
  stage.say('')
  stage.code(
    `for await (const event of nl.processes.watch({ events: ['fork', 'exec', 'exit'] })) …`,
  )
  const expected = ['fork', 'exec', 'exit, code 0']
  {
    await using nl = await open({ kernel })
    const seen = await lifeOf(nl, stage.signal, () => {
      const child = kernel.processes.init.fork()
      child.exec('true')
      child.exit(0)
      return child.pid
    })
    stage.say(`${NLKIT}: ${seen.join(', ')}`)
    stage.equal(`what ${NLKIT} told`, seen, expected)
  }
  try {
    await using nl = await open()
    const seen = await lifeOf(nl, stage.signal, async () => {
      const child = spawn('true', { stdio: 'ignore' })
      await once(child, 'exit')
      return child.pid ?? 0
    })
    stage.say(`${liveName()}: ${seen.join(', ')}`)
    stage.equal(`what ${liveName()} told`, seen.slice(-2), expected.slice(-2))
    stage.held('process events: a process of this machine and one of nlkit’s kernel')
  } catch (error) {
    if (stage.signal.aborted || !isNetlinkError(error)) throw error
    stage.say(`${liveName()}: not shown, ${reasonOf(error)}`)
  }
}

/** What is told of a veth pair's coming and going; queues beyond the first are the machine's own. */
async function ueventsOf(nl: Netlink, signal: AbortSignal): Promise<string[]> {
  const events = nl.uevents.watch({ signal })
  await events.ready
  await nl.links.add({ ifname: 'veth4', kind: 'veth', peer: { ifname: 'veth5' } })
  await nl.links.delete('veth4')
  const told: string[] = []
  let gone = 0
  for await (const event of events) {
    if (event.type !== 'uevent') continue
    const { action, devpath, env } = event as KobjectEvent
    if (!/queues\/[rt]x-[1-9]/.test(devpath)) told.push(`${action}@${devpath}`)
    if (action === 'remove' && env.SUBSYSTEM === 'net' && ++gone === 2) break
  }
  return told.sort()
}

async function uevents(stage: Stage): Promise<void> {
  stage.say('')
  stage.code(`for await (const event of nl.uevents.watch()) …   // a veth pair comes and goes`)
  const able = stage.sides.filter(({ nl }) => nl !== undefined)
  for (const { name, reason } of stage.sides)
    if (reason !== undefined) stage.say(`${name}: not shown, ${reason}`, '')
  const told: string[][] = []
  for (const { nl } of able) told.push(await ueventsOf(nl!, stage.signal))
  const [first, second] = told
  stage.say(...first!)
  stage.say('')
  if (!second) return
  stage.equalLists(`what ${able[1]!.name} told`, second, first!)
  stage.held(`uevents of a veth pair: ${first!.length} on each kernel, identical`)
}

export const scene: Scene = {
  number: '4',
  title: 'Connector, CBUS, processes, uevents',
  async run(stage) {
    await using kernel = new Kernel()
    await connector(stage, kernel)
    await cbus(stage, kernel)
    await processes(stage, kernel)
    await uevents(stage)
  },
}
