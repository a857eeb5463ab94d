/**
 * Calls that wait, on Linux and on nlkit's kernel. Linux is asked by a program whose threads may
 * block; the same steps are done here with promises, and the answers must be equal.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Credentials, Kernel, type UserSocket } from 'nlkit/kernel'
import { NETLINK_USERSOCK } from 'nlkit/wire'

const LINUX = `
import errno, json, os, socket, struct, threading, time
def open_(port):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 2)
    s.bind((port, 0))
    return s
def call(f):
    try: return f()
    except OSError as e: return -e.errno
def full(port):
    r = open_(port)
    r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4608)
    n = 0
    while call(lambda: a.sendto(b'x' * 1016, socket.MSG_DONTWAIT, (port, 0))) > 0: n += 1
    return r, n
def asleep(tid):
    with open('/proc/self/task/%d/stat' % tid) as f: return f.read().rsplit(')', 1)[1].split()[0] == 'S'
def blocked(s, port):
    out = []; tid = []
    def run():
        tid.append(threading.get_native_id())
        out.append(call(lambda: s.sendto(b'y' * 1016, (port, 0))))
    t = threading.Thread(target=run); t.start()
    deadline = time.monotonic() + 5
    calm = 0
    while calm < 20 and t.is_alive():
        if time.monotonic() > deadline: raise SystemExit('never asleep')
        calm = calm + 1 if tid and asleep(tid[0]) else 0
        time.sleep(0.001)
    return t, out
a = open_(1)
answers = {}
r, answers['full'] = full(2)
answers['dontwait'] = call(lambda: a.sendto(b'x', socket.MSG_DONTWAIT, (2, 0)))
a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('qq', 0, 30000))
answers['sndtimeo'] = call(lambda: a.sendto(b'x', (2, 0)))
a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('qq', 0, 0))
t, out = blocked(a, 2)
answers['waits'] = list(out)
answers['first'] = len(r.recv(4096))
t.join(5); answers['woken'] = list(out)
rest = []
r.setblocking(False)
while True:
    n = call(lambda: r.recv(4096))
    if isinstance(n, int): break
    rest.append(chr(n[0]))
answers['rest'] = ''.join(rest)
r.close()
r, n = full(3)
t, out = blocked(a, 3)
r.close(); t.join(5)
answers['closed'] = list(out)
r, n = full(4)
answers['eperm'] = call(lambda: r.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('qq', 0, 1000000)))
print(json.dumps(answers))
`

const me: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }
const buffer = new Uint8Array(4096)
const KILOBYTE = [new Uint8Array(1016).fill(0x78)]
const SO_RCVBUF = 8
const SO_SNDTIMEO = 21
const MICROSECONDS = 8

function timeval(microseconds: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigInt64(MICROSECONDS, BigInt(microseconds), true)
  return bytes
}

async function onNlkit(): Promise<Record<string, unknown>> {
  await using kernel = new Kernel()
  const open = (portid: number): UserSocket => {
    const sock = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, me)
    sock.bind(portid)
    return sock
  }
  const a = open(1)
  const full = (portid: number) => {
    const receiver = open(portid)
    receiver.setsockopt(1, SO_RCVBUF, 4608)
    let count = 0
    while (a.send(KILOBYTE, { portid }) > 0) count++
    return { receiver, count }
  }
  const blocked = async (portid: number) => {
    const out: number[] = []
    const sent = a.sendWait([new Uint8Array(1016).fill(0x79)], { portid })
    const done = Promise.resolve(sent).then((result) => out.push(result))
    await turn()
    return { done, out }
  }
  const answers: Record<string, unknown> = {}
  const first = full(2)
  answers.full = first.count
  answers.dontwait = a.send([Uint8Array.of(1)], { portid: 2 })
  a.setTimeout(SO_SNDTIMEO, timeval(30_000))
  answers.sndtimeo = await a.sendWait([Uint8Array.of(1)], { portid: 2 })
  a.setTimeout(SO_SNDTIMEO, timeval(0))
  const one = await blocked(2)
  answers.waits = [...one.out]
  answers.first = first.receiver.receive(buffer)
  await one.done
  answers.woken = one.out
  let rest = ''
  while (first.receiver.receive(buffer) > 0) rest += String.fromCharCode(buffer[0] as number)
  answers.rest = rest
  const second = full(3)
  const two = await blocked(3)
  second.receiver.close()
  await two.done
  answers.closed = two.out
  answers.eperm = full(4).receiver.setTimeout(SO_SNDTIMEO, timeval(1_000_000))
  return answers
}

test('senders wait, are woken and give up as on Linux', async (t) => {
  // the timers of a kernel keep no process alive
  const awake = setInterval(() => {}, 1000)
  const ours = await onNlkit().finally(() => clearInterval(awake))
  assert.deepEqual(ours.woken, [1016])
  assert.deepEqual(ours.closed, [-111])
  const linux = spawnSync('python3', ['-c', LINUX], { encoding: 'utf8', timeout: 30_000 })
  if (linux.error) return t.skip(`no python3 here: ${linux.error.message}`)
  assert.equal(linux.status, 0, linux.stderr)
  assert.deepEqual(ours, JSON.parse(linux.stdout))
  return undefined
})
