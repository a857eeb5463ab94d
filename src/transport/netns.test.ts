import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isNetlinkError } from '../errors.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { afNetlink } from './af-netlink.ts'
import { type Netns, newNetns } from './netns.ts'
import type { Socket } from './transport.ts'

const transport = afNetlink()

/** A namespace of its own, or undefined with a line that says why not. */
function netnsFor(t: TestContext): Netns | undefined {
  try {
    const netns = newNetns()
    t.after(() => netns.close())
    return netns
  } catch (error) {
    assert.ok(isNetlinkError(error, 'EPERM'), String(error))
    t.skip('a network namespace needs CAP_SYS_ADMIN')
    return undefined
  }
}

const open = (netns: unknown): Promise<Socket> => transport.open({ protocol: NETLINK_ROUTE, netns })

test('a namespace is found by descriptor, by path and by pid', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const before = readlinkSync('/proc/thread-self/ns/net')
  const holder = spawn('nsenter', [`--net=${netns.path}`, 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await new Promise((resolve, reject) => {
    holder.on('error', reject)
    holder.stdout.once('data', resolve)
    holder.stdin.write('\n')
  })
  const inode = readlinkSync(`/proc/${holder.pid}/ns/net`)
  assert.notEqual(inode, before)
  for (const place of [netns, { fd: netns.fd }, netns.path, holder.pid]) {
    const socket = await open(place)
    // Every namespace gives its first socket of a process the process' own id.
    assert.equal(socket.portid, process.pid)
    socket.close()
  }
  assert.equal(readlinkSync('/proc/thread-self/ns/net'), before)
  holder.stdin.end()
  await new Promise((resolve) => holder.once('exit', resolve))
  await assert.rejects(open(holder.pid), { code: 'ESRCH', message: /process \d+ does not exist/ })
})

test('a socket keeps its namespace alive', async (t) => {
  const netns = netnsFor(t)
  if (!netns) return
  const socket = await open(netns)
  netns.close()
  netns.close()
  assert.equal(socket.send([new Uint8Array(16)]), 16)
  socket.close()
  await assert.rejects(open(netns), { code: 'EBADF', message: /descriptor \d+ is not open/ })
})

test('what is not a namespace is said to be none', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const fifo = join(directory, 'fifo')
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
  const before = readdirSync('/proc/self/fd').length
  const file = openSync('/proc/self/comm', 'r')
  for (const [netns, expected] of [
    [
      'nlkit-no-such',
      { code: 'ENOENT', message: /network namespace nlkit-no-such does not exist/ },
    ],
    ['/no/such/path', { code: 'ENOENT', message: /\/no\/such\/path does not exist/ }],
    ['/proc/self/comm/x', { code: 'ENOTDIR' }],
    ['/proc/self/comm', { code: 'EINVAL', message: /comm is not a network namespace/ }],
    ['/proc/self/ns/uts', { code: 'EINVAL' }],
    [fifo, { code: 'EINVAL' }],
    [{ fd: file }, { code: 'EINVAL' }],
    [0x7fffffff, { code: 'ESRCH', hint: 'the process has ended' }],
    [0, { code: 'NETLINK_INVALID' }],
    [-1, { code: 'NETLINK_INVALID' }],
    [1.5, { code: 'NETLINK_INVALID' }],
    ['', { code: 'NETLINK_INVALID' }],
    ['a\0b', { code: 'NETLINK_INVALID' }],
    [null, { code: 'NETLINK_INVALID' }],
    [{ fd: -1 }, { code: 'NETLINK_INVALID' }],
    [{ name: 'blue' }, { code: 'NETLINK_INVALID' }],
  ] as const)
    await assert.rejects(open(netns), expected, JSON.stringify(netns))
  closeSync(file)
  assert.equal(readdirSync('/proc/self/fd').length, before)
})
