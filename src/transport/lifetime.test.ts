import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads'
import { NETLINK_USERSOCK } from '../wire/constants.ts'
import { loadAddon } from './addon.ts'
import { afNetlink } from './af-netlink.ts'
import { Readiness } from './readiness.ts'
import type { Socket } from './transport.ts'

const transport = afNetlink()
const self = fileURLToPath(import.meta.url)
const init = { protocol: NETLINK_USERSOCK }
const buffer = new Uint8Array(64)

/** Each runs in a process of its own, and must let it end by itself with exit code 0. */
const programs: Record<string, () => Promise<void>> = {
  async 'an idle socket lets the process end'() {
    const socket = await transport.open(init)
    await send(socket, socket)
    await socket.readable()
  },

  async 'a wait that was called off lets the process end'() {
    const socket = await transport.open(init)
    await assert.rejects(socket.readable(AbortSignal.timeout(1)))
  },

  async 'a wait that fails lets the process end'() {
    const nobodys = 9999
    const watch = new Readiness(loadAddon()).watch(nobodys)
    await assert.rejects(watch.wait(), { code: 'EBADF' })
  },

  async 'a wait keeps the process alive'() {
    const socket = await transport.open(init)
    const worker = new Worker(self, { argv: ['ping', `${socket.portid}`] })
    worker.unref()
    await socket.readable()
    assert.equal(socket.receive(buffer), 1)
    process.exitCode = 40
  },

  async 'process.exit while many wait'() {
    for (let i = 0; i < 50; i++) void (await transport.open(init)).readable()
    const socket = await transport.open(init)
    await send(socket, socket)
    await socket.readable()
    process.exit(0)
  },

  async 'an exception while many wait'() {
    for (let i = 0; i < 50; i++) void (await transport.open(init)).readable()
    process.on('uncaughtException', () => process.exit(0))
    throw new Error('ends the process')
  },

  async 'workers that end at any moment leak nothing and break nothing'() {
    await runWorkers(1)
    const before = openDescriptors()
    await runWorkers(40)
    assert.equal(openDescriptors(), before)
  },

  async 'a worker ends by itself when its sockets are idle'() {
    const worker = new Worker(self, { argv: ['idle'] })
    assert.deepEqual(await once(worker, 'exit'), [0])
  },
}

/** One byte from one socket to another. */
async function send(from: Socket, to: Socket): Promise<void> {
  assert.equal(from.send([Uint8Array.of(1)], { portid: to.portid }), 1)
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** Workers four at a time, each terminated after a number of its messages that differs. */
async function runWorkers(count: number): Promise<void> {
  for (let i = 0; i < count; i += 4)
    await Promise.all([0, 1, 2, 3].map((each) => runWorker((7 * (i + each)) % 23)))
}

async function runWorker(messages: number): Promise<void> {
  const worker = new Worker(self, { argv: ['busy'] })
  for (let left = messages; left >= 0; left--) await once(worker, 'message')
  await worker.terminate()
}

/** What a worker does: sockets that send to each other, wait, are closed, are left open. */
const workers: Record<string, (argument: string) => Promise<void>> = {
  async busy() {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => transport.open(init)))
    const talk = async (i: number): Promise<void> => {
      for (let turn = 1; ; turn++) {
        await sockets[i]!.readable()
        while (sockets[i]!.receive(buffer) > 0);
        if (turn % 3 === i % 3) {
          const old = sockets[i]!
          sockets[i] = await transport.open(init)
          old.close()
        }
        await send(sockets[i]!, sockets[(i + 1) % sockets.length]!)
        if (i === 0) parentPort!.postMessage(turn)
      }
    }
    const talks = [...sockets.keys()].map(talk)
    for (const socket of sockets) await send(sockets[0]!, socket)
    await Promise.all(talks)
  },

  async idle() {
    const socket = await transport.open(init)
    await send(socket, socket)
    await socket.readable()
  },

  async ping(portid) {
    const socket = await transport.open(init)
    socket.send([Uint8Array.of(1)], { portid: Number(portid) })
  },
}

const [, , name = '', argument = ''] = process.argv
if (!isMainThread && threadId > 0 && workers[name]) await workers[name](argument)
else if (programs[name]) await programs[name]()
else
  for (const [name] of Object.entries(programs))
    test(name, () => {
      const { status, signal, stderr } = spawnSync(process.execPath, [self, name], {
        encoding: 'utf8',
        timeout: 60_000,
      })
      const expected = name === 'a wait keeps the process alive' ? 40 : 0
      assert.deepEqual({ status, signal, stderr }, { status: expected, signal: null, stderr: '' })
    })
