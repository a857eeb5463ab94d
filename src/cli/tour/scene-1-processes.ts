/** Scene 1: two processes talk over netlink, by port and by group, on both kernels. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Scene, SceneFailure, type Stage } from './scene.ts'
import { NLKIT, type Side } from './sides.ts'

const TALKER = fileURLToPath(new URL('./talker.js', import.meta.url))

const HEARD = [
  '"Hello Process" from port 1 to port 2',
  '"Hello 3" from port 1 to group 3',
  '"Hello 5" from port 1 to group 5',
  '"bye" from port 1 to port 2',
]
/** A send to a group alone also goes to port 0, where nobody is; the members have it all the same. */
const SENT = [
  'to port 2: 13',
  'to group 3: -111',
  'to group 4: -111',
  'to group 5: -111',
  'to port 9: -111',
]

/** A process and the lines that it prints. */
class Talker {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  #output = ''
  #complaint = ''

  constructor(role: 'listen' | 'speak', reach: readonly string[], signal: AbortSignal) {
    this.child = spawn(process.execPath, [TALKER, role, ...reach], {
      signal,
      killSignal: 'SIGKILL',
    })
    this.child.on('error', () => {})
    this.ended = once(this.child, 'close').catch(() => undefined)
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#complaint += text
    })
  }
  /** Resolves when it has printed something. */
  async ready(): Promise<void> {
    const heard = once(this.child.stdout!.setEncoding('utf8'), 'data')
    this.child.stdout!.on('data', (text) => {
      this.#output += text
    })
    await Promise.race([heard, this.ended])
  }
  /** Its lines. @throws SceneFailure when it did not end well. */
  async lines(): Promise<string[]> {
    await this.ended
    if (this.child.exitCode !== 0)
      throw new SceneFailure(`expected a process to end well: ${this.#complaint.trim()}`)
    return this.#output.trimEnd().split('\n')
  }
}

interface Talk {
  readonly heard: readonly string[]
  readonly sent: readonly string[]
}

async function talk(side: Side, signal: AbortSignal): Promise<Talk> {
  const { kernel, netns } = await side.reach()
  const reach = netns === undefined ? [kernel] : [kernel, netns]
  const listener = new Talker('listen', reach, signal)
  try {
    await listener.ready()
    const speaker = new Talker('speak', reach, signal)
    await speaker.ready()
    const sent = await speaker.lines()
    const [, ...heard] = await listener.lines()
    return { heard, sent }
  } finally {
    listener.child.kill('SIGKILL')
    await listener.ended
  }
}

function show(stage: Stage, names: readonly string[], talks: readonly Talk[]): void {
  const rows = (which: keyof Talk, count: number): string[][] =>
    Array.from({ length: count }, (_, at) => talks.map((each) => each[which][at] ?? ''))
  stage.columns(names, [...rows('sent', SENT.length), ...rows('heard', HEARD.length)])
}

export const scene: Scene = {
  number: '1',
  title: 'Two processes, port 1 to port 2, groups 3 and 5',
  async run(stage) {
    stage.code(
      `const one = await kernel.open({ protocol: NETLINK_USERSOCK, portid: 1 })`,
      `one.send([text.encode('Hello Process')], { portid: 2 })   // then to groups 3, 4 and 5`,
    )
    const able = stage.sides.filter(({ nl }) => nl !== undefined)
    for (const { name, reason } of stage.sides)
      if (reason !== undefined) stage.say(`${name}: not shown, ${reason}`, '')
    const talks: Talk[] = []
    for (const side of able) talks.push(await talk(side, stage.signal))
    const names = able.map(({ name }) => name)
    show(stage, names, talks)
    for (const [at, { heard, sent }] of talks.entries()) {
      stage.equalLists(`what port 2 heard on ${names[at] ?? NLKIT}`, heard, HEARD)
      stage.equalLists(`what the sends answered on ${names[at] ?? NLKIT}`, sent, SENT)
    }
    if (talks.length === 2) stage.held('two processes on each kernel, the same program: identical')
  },
}
