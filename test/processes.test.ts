/** Process events on this machine's kernel, on nlkit's, and through the program. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isNetlinkError, open, type ProcessEvent } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import { main, nlkit, spawnNlkit } from './cli.ts'
import { serveKernel } from './daemon.ts'

/** Why this machine's kernel tells us nothing of processes; undefined when it does. */
async function refusal(): Promise<string | undefined> {
  try {
    await using nl = await open()
    const events = nl.processes.watch()
    await events.ready
    return undefined
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    return `no process events here: ${error.message}`
  }
}
const skip = (await refusal()) ?? false

test('a live process is told of: fork, exec, exit with its code', { skip }, async () => {
  await using nl = await open()
  const events = nl.processes.watch({ events: ['fork', 'exec', 'exit'] })
  await events.ready
  const child = spawn('sh', ['-c', 'exit 3'])
  const told: unknown[] = []
  for await (const event of events) {
    if (event.type !== 'process') continue
    if (event.what === 'fork' && event.childTgid === child.pid) told.push('fork')
    if (event.what === 'exec' && event.processPid === child.pid) told.push('exec')
    if (event.what !== 'exit' || event.processPid !== child.pid) continue
    told.push(event.exitCode, event.exitSignal)
    break
  }
  assert.deepEqual(told.slice(-3), ['exec', 0x300, 17])
})

test('listeners are counted in and out, whichever way they go', async () => {
  await using kernel = new Kernel()
  const { procConnector, processes } = kernel
  await using nl = await open({ kernel })
  const stop = new AbortController()
  const [one, two, three] = [
    nl.processes.watch(),
    nl.processes.watch({ events: ['exit'], signal: stop.signal }),
    nl.processes.watch(),
  ]
  await Promise.all([one.ready, two.ready, three.ready])
  assert.equal(procConnector.listeners, 3)
  const child = processes.init.fork()
  child.exec('door')
  child.exit(1)
  const heard: string[] = []
  for await (const event of one) {
    heard.push((event as ProcessEvent).what as string)
    if (heard.length === 3) break
  }
  assert.deepEqual(heard, ['fork', 'exec', 'exit'])
  assert.equal(procConnector.listeners, 2, 'the loop was left')
  const { value } = await two.next()
  assert.equal((value as ProcessEvent).what, 'exit')
  stop.abort(new Error('enough'))
  await assert.rejects(two.next(), /enough/)
  assert.equal(procConnector.listeners, 1, 'aborted')
  three.close()
  three.close()
  assert.equal(procConnector.listeners, 0)
  const four = nl.processes.watch()
  await four.ready
  await nl.close()
  assert.equal(procConnector.listeners, 0, 'the client was closed')
})

test('who reads too slowly hears of it, and is bounded', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  const events = nl.processes.watch({ buffer: 10, receiveBuffer: 1 << 20 })
  await events.ready
  for (let i = 0; i < 100; i++) kernel.processes.init.fork().exit()
  await new Promise((resolve) => setImmediate(resolve))
  const heard: string[] = []
  for await (const event of events) {
    heard.push(event.type === 'overrun' ? `overrun ${event.source}` : 'process')
    if (event.type === 'overrun') break
  }
  assert.deepEqual(heard, [...Array(10).fill('process'), 'overrun iterator'])
})

test('nlkit proc watch prints what happens', async () => {
  await using kernel = new Kernel()
  const watching = nlkit(kernel, ['proc', 'watch', '--count', '5'], {
    onWrite(text) {
      if (!text.startsWith('watching')) return
      const child = kernel.processes.init.fork()
      const thread = child.clone()
      child.setuid(1000)
      thread.exit(2)
      child.kill(9)
    },
  })
  const { code, stdout } = await watching
  assert.deepEqual(
    [code, stdout.trimEnd().split('\n')],
    [
      0,
      [
        'fork      pid 2  by pid 1',
        'fork      pid 2 thread 3  by pid 1',
        'uid       pid 2  real 1000 effective 1000',
        'exit      pid 2 thread 3  code 2  parent 1',
        'exit      pid 2  signal 9  parent 1',
      ],
    ],
  )
  assert.equal(kernel.procConnector.listeners, 0)
  const wrong = await nlkit(kernel, ['proc', 'watch', 'exek'])
  assert.deepEqual([wrong.code, /did you mean "?exec/i.test(wrong.stderr)], [2, true], wrong.stderr)
})

async function listenersOf(t: TestContext, kernel: string, folder: string): Promise<string> {
  const file = join(folder, `count-${t.name.length}-${Date.now()}.mjs`)
  const door = import.meta.resolve('nlkit/kernel')
  writeFileSync(
    file,
    `import { defineModule } from '${door}'
     export default defineModule({ name: 'count', license: 'MIT', init(kernel) {
       kernel.printk(6, 'listeners ' + kernel.procConnector.listeners)
       return () => {}
     } })`,
  )
  const ask = (...args: string[]) => spawnNlkit(['--kernel', kernel, ...args])
  const loaded = await ask('module', 'insmod', file)
  assert.equal(loaded.code, 0, loaded.stderr)
  await ask('module', 'rmmod', 'count')
  const { stdout } = await ask('dmesg')
  return stdout.match(/listeners \d+/g)?.at(-1) ?? stdout
}

test('nlkit proc watch says that it ignores when a signal ends it', async (t) => {
  await using served = await serveKernel()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const child = spawn(process.execPath, [main, '--kernel', served.kernel, 'proc', 'watch'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      await once(child.stderr, 'data')
      assert.equal(await listenersOf(t, served.kernel, served.folder), 'listeners 1')
      const closed = once(child, 'close')
      child.kill(signal)
      assert.deepEqual(await closed, [130, null], signal)
    } finally {
      child.kill('SIGKILL')
    }
    assert.equal(await listenersOf(t, served.kernel, served.folder), 'listeners 0', signal)
  }
})

test('nlkit proc watch on the live kernel', { skip }, async () => {
  const child = spawn(process.execPath, [main, 'proc', 'watch', 'exec', '-j'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    await once(child.stderr, 'data')
    const closed = once(child, 'close')
    let said = ''
    const heard = (async () => {
      for await (const chunk of child.stdout) {
        said += chunk
        if (said.includes('"what":"exec"')) return
      }
    })()
    execFileSync('true')
    await heard
    child.kill('SIGTERM')
    assert.deepEqual(await closed, [130, null])
  } finally {
    child.kill('SIGKILL')
  }
})

test('nlkit uevent watch prints what happens', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  const { code, stdout } = await nlkit(kernel, ['-d', 'uevent', 'watch', '--count', '1'], {
    onWrite(text) {
      if (text.startsWith('watching')) void nl.links.add({ ifname: 'br0', kind: 'bridge' })
    },
  })
  assert.equal(code, 0)
  assert.match(
    stdout,
    /^add {7}net {7}\/devices\/virtual\/net\/br0 {2}\d+\n {4}DEVTYPE=bridge\n {4}INTERFACE=br0\n {4}IFINDEX=2\n$/,
  )
})
