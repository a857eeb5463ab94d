import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NativeSocket } from './native-socket.ts'
import { Readiness } from './readiness.ts'

/** The addon's readiness, played by hand. */
class Player {
  readonly armed = new Map<number, number>()
  readonly holds: boolean[] = []
  failure = 0
  #report: (...ids: number[]) => void = () => assert.fail('not started')

  get native(): NativeSocket {
    const functions: Partial<NativeSocket> = {
      startReadiness: (batch, onReady) => {
        this.#report = (...ids) => {
          for (const [i, id] of ids.entries()) batch.set([id, 1], 2 * i)
          onReady(ids.length)
        }
        return 0
      },
      arm: (fd, id) => {
        if (this.failure < 0) return this.failure
        this.armed.set(fd, id)
        return 0
      },
      disarm: (fd) => (this.armed.delete(fd) ? 0 : -2),
      hold: (isHeld) => this.holds.push(isHeld),
    }
    return functions as NativeSocket
  }

  /** The id under which `fd` was last armed. */
  idOf(fd: number): number {
    return this.armed.get(fd) ?? assert.fail(`${fd} is not armed`)
  }

  report(...ids: number[]): void {
    this.#report(...ids)
  }
}

/** Whether `promise` is settled once the microtasks that are queued now have run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

test('a wait ends with the report, and holds the process meanwhile', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  const wait = watch.wait()
  assert.deepEqual(player.holds, [true])
  assert.equal(await isSettled(wait), false)
  player.report(player.idOf(5))
  await wait
  assert.deepEqual(player.holds, [true, false])
})

test('several wait for one report', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  const waits = [watch.wait(), watch.wait(), watch.wait()]
  player.report(player.idOf(5))
  await Promise.all(waits)
  assert.deepEqual(player.holds, [true, false])
})

test('a report for a closed socket does not wake the next one with its number', async () => {
  const player = new Player()
  const readiness = new Readiness(player.native)
  const old = readiness.watch(5)
  const oldWait = old.wait()
  const stale = player.idOf(5)
  old.close()
  await assert.rejects(oldWait, { code: 'NETLINK_CLOSED' })
  const next = readiness.watch(5).wait()
  player.report(stale)
  assert.equal(await isSettled(next), false)
  player.report(player.idOf(5))
  await next
})

test('a report of an aborted wait does not end the next one', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  const aborter = new AbortController()
  const first = watch.wait(aborter.signal)
  const stale = player.idOf(5)
  aborter.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  assert.deepEqual(player.holds, [true, false])
  const second = watch.wait()
  player.report(stale)
  assert.equal(await isSettled(second), false)
  player.report(player.idOf(5))
  await second
})

test('an aborted wait leaves the others waiting', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  const aborter = new AbortController()
  const [first, second] = [watch.wait(aborter.signal), watch.wait()]
  aborter.abort()
  await assert.rejects(first, { name: 'AbortError' })
  player.report(player.idOf(5))
  await second
  assert.deepEqual(player.holds, [true, false])
})

test('a signal that is aborted already, or late, changes nothing', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  await assert.rejects(watch.wait(AbortSignal.abort(new Error('before'))), /before/)
  assert.equal(player.armed.size, 0)
  const aborter = new AbortController()
  const wait = watch.wait(aborter.signal)
  player.report(player.idOf(5))
  aborter.abort()
  await wait
  assert.deepEqual(player.holds, [true, false])
})

test('closing ends every wait, and every later one', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  const waits = [watch.wait(), watch.wait(new AbortController().signal)]
  watch.close()
  watch.close()
  for (const wait of [...waits, watch.wait()])
    await assert.rejects(wait, { code: 'NETLINK_CLOSED' })
  assert.deepEqual(player.holds, [true, false])
  assert.equal(player.armed.size, 0)
})

test('a report may close other sockets of the same batch', async () => {
  const player = new Player()
  const readiness = new Readiness(player.native)
  const [one, two] = [readiness.watch(5), readiness.watch(6)]
  const first = one.wait().then(() => two.close())
  const second = two.wait()
  player.report(player.idOf(5), player.idOf(6))
  await first
  await second
})

test('a descriptor that cannot be watched rejects the wait', async () => {
  const player = new Player()
  const watch = new Readiness(player.native).watch(5)
  player.failure = -9
  await assert.rejects(watch.wait(), { code: 'EBADF', syscall: 'epoll_ctl' })
  assert.deepEqual(player.holds, [])
})
