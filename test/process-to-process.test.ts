/**
 * Process to process: the programs of examples/processes, unchanged, on the kernel of this machine
 * and on one that nlkit serves. What they print must be the same.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serveKernel } from './daemon.ts'

const examples = new URL('../examples/processes/', import.meta.url)

/** Where the programs run: what stands before `node`, and their environment. */
interface Place {
  readonly through: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A program that runs, and what it has printed. */
class Program implements Disposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #output = ''
  #errors = ''
  #heard: () => void = () => {}

  constructor({ through, env }: Place, name: string, ...args: readonly string[]) {
    const file = fileURLToPath(new URL(name.replace(/\.ts$/, '.js'), examples))
    const line = [...through, process.execPath, '--enable-source-maps', file, ...args]
    const [command = '', ...rest] = line
    const { NODE_TEST_CONTEXT: _, NLKIT_KERNEL: __, ...outer } = process.env
    this.#child = spawn(command, rest, { env: { ...outer, ...env }, timeout: 30_000 })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#output += text
      this.#heard()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors += text
    })
  }
  /** Resolves when it has printed its first line. */
  async started(): Promise<this> {
    const line = new Promise<void>((resolve) => {
      this.#heard = () => {
        if (this.#output.includes('\n')) resolve()
      }
      this.#heard()
    })
    await Promise.race([
      line,
      this.#closed.then(() => Promise.reject(new Error(`it ended: ${this.#errors}`))),
    ])
    return this
  }
  /** Resolves with all that it printed, when it has ended well. */
  async ended(): Promise<string> {
    await this.#closed
    assert.equal(this.#child.exitCode, 0, this.#output + this.#errors)
    return this.#output
  }
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

/** What everybody printed. */
async function play(place: Place): Promise<Record<string, string>> {
  const printed: Record<string, string> = {}
  {
    using receiver = await new Program(place, 'receiver.ts').started()
    using sender = new Program(place, 'sender.ts')
    printed.sender = await sender.ended()
    printed.receiver = await receiver.ended()
  }
  {
    using three = await new Program(place, 'member.ts', '11', '3').started()
    using both = await new Program(place, 'member.ts', '12', '3', '5').started()
    using five = await new Program(place, 'member.ts', '13', '5').started()
    using announcer = new Program(place, 'announcer.ts')
    printed.announcer = await announcer.ended()
    printed.three = await three.ended()
    printed.both = await both.ended()
    printed.five = await five.ended()
  }
  using threads = new Program(place, 'threads.ts')
  printed.threads = await threads.ended()
  return printed
}

const EXPECTED: Readonly<Record<string, string>> = {
  sender: `port 1
sent 32
"Hello Process yourself" came back
to nobody: -111
port 1 again: EADDRINUSE
a port of the kernel\`s choice is my process id: true
the next one is a large number: true
`,
  receiver: 'port 2\n"Hello Process" from port 1, group 0\n',
  announcer: `to group 3: -111
to group 5: -111
to group 4, where nobody is: -111
to group 5 and port 12: 28
`,
  three: `member of 3
"three" from port 9 through group 3
"both" from port 9 through group 3
"bye" from port 9 through group 3
`,
  both: `member of 3 and 5
"three" from port 9 through group 3
"five" from port 9 through group 5
"both" from port 9 through group 3
"both" from port 9 through group 5
"five and 12" from port 9 through group 5
"bye" from port 9 through group 3
`,
  five: `member of 5
"five" from port 9 through group 5
"both" from port 9 through group 5
"five and 12" from port 9 through group 5
"bye" from port 9 through group 5
`,
  threads: `thread 1, from its own id: true
thread 2, from its own id: true
thread 3, from its own id: true
automatic ids, all different: true
`,
}

test('processes and threads on a kernel that nlkit serves', { timeout: 120_000 }, async () => {
  await using served = await serveKernel()
  assert.deepEqual(await play({ through: [], env: { NLKIT_KERNEL: served.kernel } }), EXPECTED)
})

test('the same programs on the kernel of this machine', { timeout: 120_000 }, async (t) => {
  if (spawnSync('unshare', ['-Urn', 'true']).status !== 0)
    return t.skip('no user namespace here: unshare -Urn fails')
  const holder = spawn('unshare', ['-Urn', 'sh', '-c', 'echo ready; read line'])
  try {
    await once(holder.stdout, 'data')
    const through = ['nsenter', '--preserve-credentials', '-U', '-n', '-t', String(holder.pid)]
    assert.deepEqual(await play({ through, env: {} }), EXPECTED)
  } finally {
    holder.kill('SIGKILL')
  }
  return undefined
})
