/**
 * Stands for both.ts in served.test.ts: each case runs on a kernel that another process serves, in a
 * fresh namespace, and in this process; the transcripts must be equal.
 */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type Netlink, type OpenOptions, open } from 'nlkit'
import { nlkit } from 'nlkit/families/nlkit'
import { Kernel } from 'nlkit/kernel'
import type { Socket, SocketInit, Transport } from 'nlkit/transport'
import { type Bench, normalise } from './both.ts'
import { type ServedKernel, serveKernel } from './daemon.ts'

const { unixTransport } = (await import(
  new URL('../../dist/transport/unix.js', import.meta.url).href
)) as { unixTransport(path: string): Transport }

let served: ServedKernel
let manager: Netlink
let namespaces = 0
before(async () => {
  served = await serveKernel()
  manager = await open({ kernel: served.kernel })
})
after(async () => {
  await manager?.close()
  await served?.[Symbol.asyncDispose]()
})

type Behaviour = (bench: Bench, t: TestContext) => Promise<unknown>

/** Registers a behaviour for a served kernel. */
export function both(name: string, behaviour: Behaviour): void {
  test(`${name} [served]`, async (t) => {
    const there = await onServed(behaviour, t)
    const here = await inProcess(behaviour, t)
    assert.deepEqual(normalise(there), normalise(here), 'served (actual), in process (expected)')
  })
}

async function onServed(behaviour: Behaviour, t: TestContext): Promise<unknown> {
  const control = await manager.family(nlkit)
  const names: string[] = []
  const fresh = async (): Promise<OpenOptions> => {
    const netns = `case-${++namespaces}`
    await control.do('newNetns', { name: netns })
    names.push(netns)
    return { kernel: served.kernel, netns }
  }
  const home = await fresh()
  try {
    return await run(behaviour, t, unixTransport(served.path), home, fresh)
  } finally {
    for (const name of names) await control.do('delNetns', { name })
    control.close()
  }
}

async function inProcess(behaviour: Behaviour, t: TestContext): Promise<unknown> {
  await using kernel = new Kernel()
  const elsewhere = async () => ({ kernel, netns: kernel.addNet() })
  return await run(behaviour, t, kernel.transport(), { kernel }, elsewhere)
}

async function run(
  behaviour: Behaviour,
  t: TestContext,
  transport: Transport,
  home: OpenOptions,
  fresh: () => Promise<OpenOptions>,
): Promise<unknown> {
  const closing: { close(): unknown }[] = []
  const kept = <T extends { close(): unknown }>(opened: T): T => {
    closing.push(opened)
    return opened
  }
  try {
    const bench: Bench = {
      kernel: 'nlkit',
      nl: kept(await open(home)),
      open: async (options) => kept(await open({ ...home, ...options })),
      elsewhere: async () => kept(await open(await fresh())),
      socket: async (init: SocketInit): Promise<Socket> =>
        kept(await transport.open({ netns: home.netns, ...init })),
    }
    return await behaviour(bench, t)
  } finally {
    for (const opened of closing.reverse()) await opened.close()
  }
}
