/** Scene 7: a message bus in the kernel, for D-Bus programs, and how one of them ends. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningBus, startBus } from '../../dbus/gateway/start.ts'
import {
  BUS_NAME,
  BUS_PATH,
  encodeMessage,
  METHOD_CALL,
  type Outgoing,
  parseMatchRule,
  readValues,
} from '../../dbus/index.ts'
import { NETLINK_URELEASE, NOTIFY_DONE } from '../../kernel/index.ts'
import type { Scene, Stage } from './scene.ts'

const NAME = 'com.example.Tour'
/** Milliseconds that a program has. */
const PATIENCE = 10_000

/** A program that says the bytes it is given to the bus, and stays. */
const OWNER = `
const socket = require('node:net').connect(process.argv[1])
socket.on('data', () => {})
socket.write(Buffer.from(process.argv[2], 'base64'))
setTimeout(() => process.exit(1), 60000)`

/** What the program says: who it is, Hello, and the name that it wants. */
function ownerBytes(): string {
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
  const call = { type: METHOD_CALL, path: BUS_PATH, interface: BUS_NAME, destination: BUS_NAME }
  return Buffer.concat([
    Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`, 'latin1'),
    encodeMessage({ ...call, serial: 1, member: 'Hello' }),
    encodeMessage({ ...call, serial: 2, member: 'RequestName', signature: 'su', body: [NAME, 0] }),
  ]).toString('base64')
}

/** Microseconds since this process began. */
const now = (): number => performance.now() * 1000

interface Change {
  readonly name: string
  readonly old: string
  readonly owner: string
  readonly at: number
}

/** Somebody on the bus who asked for NameOwnerChanged. */
class Observer {
  readonly changes: Change[] = []
  #heard: (() => void) | undefined

  constructor({ bus }: RunningBus) {
    const peer = bus.connect(
      { deliver: (outgoing) => this.#take(outgoing), disconnect: () => undefined },
      bus.credentials,
      false,
    )
    bus.admit(peer)
    bus.addRule(peer, parseMatchRule("type='signal',member='NameOwnerChanged'"))
  }

  #take(outgoing: Outgoing): boolean {
    const { member, bodyAt, littleEndian } = outgoing.header
    if (member !== 'NameOwnerChanged') return true
    const whole = new Uint8Array(bodyAt + outgoing.body.length)
    whole.set(outgoing.body, bodyAt)
    const [name, old, owner] = readValues(
      { bytes: whole, view: new DataView(whole.buffer), origin: 0, littleEndian },
      'sss',
      bodyAt,
      whole.length,
    ) as [string, string, string]
    this.changes.push({ name, old, owner, at: now() })
    this.#heard?.()
    return true
  }

  /** The change that `is` finds, once it is there. */
  async until(is: (change: Change) => boolean, signal: AbortSignal): Promise<Change> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
    for (;;) {
      const found = this.changes.find(is)
      if (found) return found
      await new Promise<void>((heard, failed) => {
        this.#heard = heard
        deadline.addEventListener('abort', () => failed(deadline.reason), { once: true })
      })
    }
  }
}

/** What `busctl list` says of the bus; undefined where there is no busctl. */
function busctl(bus: RunningBus): Promise<string[] | undefined> {
  const args = [`--address=${bus.address}`, '--no-pager', '--no-legend', 'list']
  return new Promise((done, failed) => {
    execFile('busctl', args, { timeout: PATIENCE }, (error, stdout) => {
      if (error?.code === 'ENOENT') done(undefined)
      else if (error) failed(error)
      else done(stdout.trimEnd().split('\n'))
    })
  })
}

async function list(stage: Stage, bus: RunningBus): Promise<void> {
  const lines = await busctl(bus)
  if (!lines) {
    stage.say('busctl is not installed here: what it would list is not shown', '')
    return
  }
  stage.code('$ busctl --address=… list')
  stage.say(...lines.map((line) => line.replace(/\s+/g, ' ').slice(0, 60)), '')
  const names = lines.map((line) => line.split(/\s/)[0]!)
  stage.equal('the name in its list', names.includes(NAME), true)
  stage.held('busctl, as it is installed, lists the names of a bus that is a netlink family')
}

/** kill -9, and what follows in the kernel. */
async function end(
  stage: Stage,
  bus: RunningBus,
  observer: Observer,
  owner: ChildProcess,
): Promise<void> {
  const { kernel } = bus
  let released = 0
  const block = {
    priority: 1,
    call(event: number): number {
      if (event === NETLINK_URELEASE) released ||= now()
      return NOTIFY_DONE
    },
  }
  kernel.netlink.notifier.register(block)
  try {
    const killed = now()
    owner.kill('SIGKILL')
    const gone = await observer.until(
      ({ name, owner: to }) => name === NAME && to === '',
      stage.signal,
    )
    const after = (at: number): string => `${(at - killed).toFixed(0)} µs`
    stage.columns(
      ['after the kill', 'what'],
      [
        [after(released), 'NETLINK_URELEASE of the socket that the gateway held for it'],
        [after(gone.at), `NameOwnerChanged("${NAME}", "${gone.old}", "")`],
      ],
    )
    stage.equal('the order', released > 0 && released <= gone.at, true)
    stage.equal('the owner now', bus.bus.lookup(NAME), undefined)
    stage.held("kill -9: the socket's release is the connection's end, and its names are free")
  } finally {
    await kernel.netlink.notifier.unregister(block)
  }
}

async function run(stage: Stage): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-tour-'))
  const path = join(folder, 'bus')
  let owner: ChildProcess | undefined
  let bus: RunningBus | undefined
  try {
    stage.code("const bus = await startBus({ listen: ['unix:path=…'] })   // nlkit dbus start")
    bus = await startBus({ listen: [`unix:path=${path}`] })
    const observer = new Observer(bus)
    owner = spawn(process.execPath, ['-e', OWNER, path, ownerBytes()], { stdio: 'ignore' })
    await observer.until(({ name, old }) => name === NAME && old === '', stage.signal)
    await list(stage, bus)
    await end(stage, bus, observer, owner)
  } finally {
    owner?.kill('SIGKILL')
    bus?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const scene: Scene = { number: '7', title: 'D-Bus on generic netlink', run }
