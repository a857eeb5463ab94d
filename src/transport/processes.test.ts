import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isNetlinkError } from '../errors.ts'
import { NETLINK_USERSOCK } from '../wire/constants.ts'
import { afNetlink } from './af-netlink.ts'
import { newNetns } from './netns.ts'

const ECONNREFUSED = -111

const transport = afNetlink()
const encoder = new TextEncoder()
const buffer = new Uint8Array(4096)

/** The second process: says that it is there, and gives back what it gets. */
async function peer(netns: string): Promise<void> {
  const socket = await transport.open({ protocol: NETLINK_USERSOCK, portid: 2, netns })
  socket.send([encoder.encode('ready')], { portid: 1 })
  await socket.readable()
  const length = socket.receive(buffer)
  const from = encoder.encode(`from ${socket.senderPortid}: `)
  socket.send([from, buffer.subarray(0, length)], { portid: 1 })
  socket.close()
}

async function helloProcess(t: TestContext): Promise<void> {
  let netns: ReturnType<typeof newNetns>
  try {
    netns = newNetns()
  } catch (error) {
    assert.ok(isNetlinkError(error, 'EPERM'), String(error))
    return t.skip('a network namespace needs CAP_SYS_ADMIN')
  }
  const socket = await transport.open({ protocol: NETLINK_USERSOCK, portid: 1, netns })
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'peer', netns.path], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exit = new Promise((resolve) => child.once('exit', resolve))
  await socket.readable()
  assert.equal(socket.receive(buffer), 'ready'.length)
  assert.equal(socket.senderPortid, 2)
  const hello = encoder.encode('Hello Process')
  assert.equal(socket.send([hello], { portid: 2 }), hello.length)
  await socket.readable()
  const length = socket.receive(buffer)
  assert.equal(new TextDecoder().decode(buffer.subarray(0, length)), 'from 1: Hello Process')
  assert.equal(await exit, 0)
  assert.equal(socket.send([hello], { portid: 2 }), ECONNREFUSED)
  socket.close()
  netns.close()
}

if (process.argv[2] === 'peer') await peer(process.argv[3]!)
else test('two processes, port 1 and port 2', helloProcess)
