/**
 * The examples of examples/network, unchanged, on the kernel of this machine and on one that nlkit
 * serves. What they print must be the same.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Netlink, open } from 'nlkit'
import { newNetns } from 'nlkit/testing'
import { main } from './cli.ts'
import { serveKernel } from './daemon.ts'

const sources = new URL('../../examples/network/', import.meta.url)
const built = new URL('../examples/network/', import.meta.url)

/** What stands before `node`, and a client of the same network. */
interface Place {
  readonly name: string
  readonly through: readonly string[]
  readonly nl: Netlink
}

async function livePlace(): Promise<Place | undefined> {
  try {
    const netns = newNetns()
    const nl = await open({ netns })
    after(async () => {
      await nl.close()
      netns.close()
    })
    return { name: 'Linux', through: ['nsenter', `--net=${netns.path}`], nl }
  } catch {
    return undefined
  }
}

async function servedPlace(): Promise<Place> {
  const served = await serveKernel()
  const nl = await open({ kernel: served.kernel })
  after(async () => {
    await nl.close()
    await served[Symbol.asyncDispose]()
  })
  const through = [process.execPath, main, 'run', '--kernel', served.kernel, '--']
  return { name: "nlkit's kernel", through, nl }
}

const places = [await livePlace(), await servedPlace()].filter((place) => place !== undefined)

/** An example that runs, and what it has printed. */
class Example {
  readonly child: ChildProcess
  readonly closed: Promise<unknown>
  output = ''
  errors = ''

  constructor({ through }: Place, name: string) {
    const file = fileURLToPath(new URL(`${name}.js`, built))
    const [command = '', ...rest] = [...through, process.execPath, file]
    const { NODE_TEST_CONTEXT: _, NLKIT_KERNEL: __, ...env } = process.env
    this.child = spawn(command, rest, { env, timeout: 30_000 })
    this.closed = once(this.child, 'close')
    this.child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.output += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.errors += text
    })
  }

  /** Resolves when it has printed `line`; `meanwhile` is done again and again. */
  async printed(line: string, meanwhile = () => setTimeout(20)): Promise<void> {
    while (!this.output.includes(`${line}\n`)) {
      assert.equal(this.child.exitCode, null, this.errors)
      await meanwhile()
    }
  }
}

for (const [name, most] of [
  ['default-route', 5],
  ['bridge', 10],
  ['route-daemon', 20],
] as const)
  test(`${name} has ${most} lines at most`, () => {
    const text = readFileSync(new URL(`${name}.ts`, sources), 'utf8')
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('/**'))
    assert.ok(lines.length <= most, `${lines.length} lines`)
  })

for (const place of places) {
  const { nl } = place
  test(`examples of networks on ${place.name}`, async (t) => {
    await t.test('a bridge is configured', async () => {
      const example = new Example(place, 'bridge')
      await example.closed
      assert.equal(example.output, 'member veth1\n', example.errors)
    })
    const route = { destination: 'default', gateway: '10.0.0.254' }
    await t.test('the default route is watched', async () => {
      const example = new Example(place, 'default-route')
      await example.printed('del 10.0.0.254', async () => {
        await nl.routes.add(route)
        await nl.routes.delete(route)
        await setTimeout(20)
      })
      assert.match(example.output, /^new 10\.0\.0\.254$/m)
      example.child.kill()
      await example.closed
    })
    await t.test('a daemon tells of IPv4 routes', async () => {
      const example = new Example(place, 'route-daemon')
      await example.printed('listening')
      await nl.routes.add({ destination: '10.1.0.0/16', gateway: '10.0.0.9' })
      await nl.routes.delete({ destination: '10.1.0.0/16' })
      await example.printed('removed 10.1.0.0/16 via 10.0.0.9')
      example.child.kill()
      await example.closed
      assert.equal(
        example.output,
        'there is 10.0.0.0/24 via -\nlistening\nadded 10.1.0.0/16 via 10.0.0.9\nremoved 10.1.0.0/16 via 10.0.0.9\n',
      )
    })
  })
}
