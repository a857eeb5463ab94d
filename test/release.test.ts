/** NETLINK_URELEASE on a served kernel: once for each port, whatever becomes of the process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Netlink, open } from 'nlkit'
import { nlkit } from 'nlkit/families/nlkit'
import type { Transport } from 'nlkit/transport'
import { serveKernel } from './daemon.ts'

const { unixTransport } = (await import(
  new URL('../../dist/transport/unix.js', import.meta.url).href
)) as { unixTransport(path: string): Transport }
const NETLINK_ROUTE = 0
const NETLINK_USERSOCK = 2
const NETLINK_GENERIC = 16
const self = fileURLToPath(import.meta.url)

/** Ports that the process holds when it is killed. */
const HELD = [
  [NETLINK_ROUTE, 4711],
  [NETLINK_USERSOCK, 4711],
  [NETLINK_GENERIC, 4712],
] as const

const [, , role, place = ''] = process.argv
if (role === 'hold') await hold(place)
else tests()

async function hold(path: string): Promise<void> {
  for (const [protocol, portid] of HELD) await unixTransport(path).open({ protocol, portid })
  console.log('ready')
  setInterval(() => {}, 1000)
}

/** A module that writes down what it hears. */
const listener = (kernelDoor: string) => `
  import { defineModule, NOTIFY_DONE } from '${kernelDoor}'
  export default defineModule({
    name: 'listener', license: 'GPL',
    init(kernel) {
      return kernel.netlink.notifier.register({
        name: 'listener',
        call(event, { protocol, portid }) {
          if (portid === 4711 || portid === 4712)
            kernel.printk('released ' + event + ' ' + protocol + ' ' + portid)
          return NOTIFY_DONE
        },
      })
    },
  })`

async function releases(nl: Netlink): Promise<string[]> {
  const log = await (await nl.family(nlkit)).dump('getLog').toArray()
  return log.map(({ text }) => text).filter((text) => text?.startsWith('released')) as string[]
}

function tests(): void {
  test('a process that is killed with SIGKILL releases each of its ports once', async () => {
    await using served = await serveKernel()
    const file = join(served.folder, 'listener.mjs')
    writeFileSync(file, listener(import.meta.resolve('nlkit/kernel')))
    await using nl = await open(served)
    await (await nl.family(nlkit)).do('newModule', { file })
    const child = spawn(process.execPath, [self, 'hold', served.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      assert.deepEqual(await releases(nl), [])
    } finally {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    const deadline = Date.now() + 20_000
    while ((await releases(nl)).length < HELD.length) {
      assert.ok(Date.now() < deadline, 'the ports were not released within 20 s')
    }
    // a round trip more: nothing else comes
    await nl.links.get('lo')
    assert.deepEqual((await releases(nl)).sort(), [
      'released 1 0 4711',
      'released 1 16 4712',
      'released 1 2 4711',
    ])
  })
}
