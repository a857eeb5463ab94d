/** One behaviour, two kernels: each case runs on Linux, in a fresh namespace, and on nlkit's. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Netlink, type OpenOptions, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import { type Netns, newNetns } from 'nlkit/testing'
import { afNetlink, type Socket, type SocketInit, type Transport } from 'nlkit/transport'
import { linuxIsWithout } from './linux-without.ts'

/** What a behaviour is given: one kernel with a namespace of its own, as a fresh machine has it. */
export interface Bench {
  readonly kernel: 'linux' | 'nlkit'
  /** A client, opened before the case and closed after it. */
  readonly nl: Netlink
  /** Another client to the same namespace. */
  open(options?: OpenOptions): Promise<Netlink>
  /** A client to another fresh namespace of the same kernel. */
  elsewhere(): Promise<Netlink>
  /** A bare socket in the namespace; closed after the case. */
  socket(init: SocketInit): Promise<Socket>
}

type Behaviour = (bench: Bench, t: TestContext) => Promise<unknown>

/** Why this machine cannot give us a namespace; undefined when it can. */
export const refusal: string | undefined = (() => {
  try {
    newNetns().close()
    return undefined
  } catch (error) {
    return `no network namespace here: ${(error as Error).message}`
  }
})()

/** What a behaviour returns where this machine's Linux is without what it asks for. */
export const NOT_HERE = Symbol('not here')

/**
 * Registers a behaviour for both kernels. What it returns is its transcript: the two must be
 * equal, after `normalise`.
 */
export function both(
  name: string,
  behaviour: Behaviour,
  /** What nlkit's kernel is given first. */
  prepare: (kernel: Kernel) => void = () => {},
): void {
  const transcripts: { linux?: { value: unknown }; nlkit?: { value: unknown } } = {}
  test(`${name} [linux]`, refusal ? { skip: refusal } : {}, async (t) => {
    const value = await onLinux(behaviour, t)
    if (value === NOT_HERE) t.skip('this Linux does not have it')
    else transcripts.linux = { value }
  })
  test(`${name} [nlkit]`, async (t) => {
    transcripts.nlkit = { value: await onNlkit(behaviour, t, prepare) }
    if (!transcripts.linux) return
    assert.deepEqual(
      normalise(transcripts.nlkit.value),
      normalise(transcripts.linux.value),
      'nlkit (actual) and Linux (expected) differ',
    )
  })
}

async function onLinux(behaviour: Behaviour, t: TestContext): Promise<unknown> {
  const namespaces: Netns[] = []
  const fresh = (): Netns => {
    const namespace = newNetns()
    namespaces.push(namespace)
    return namespace
  }
  const home = fresh()
  const transport = afNetlink()
  try {
    return await run(behaviour, t, 'linux', transport, { netns: home }, async () => ({
      netns: fresh(),
    }))
  } finally {
    await transport.close?.()
    for (const namespace of namespaces) namespace.close()
  }
}

async function onNlkit(
  behaviour: Behaviour,
  t: TestContext,
  prepare: (kernel: Kernel) => void,
): Promise<unknown> {
  await using kernel = new Kernel({ without: linuxIsWithout })
  prepare(kernel)
  return await run(behaviour, t, 'nlkit', kernel.transport(), { kernel }, async () => ({
    kernel,
    netns: kernel.addNet(),
  }))
}

async function run(
  behaviour: Behaviour,
  t: TestContext,
  kernel: 'linux' | 'nlkit',
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
      kernel,
      nl: kept(await open(home)),
      open: async (options) => kept(await open({ ...home, ...options })),
      elsewhere: async () => kept(await open(await fresh())),
      socket: async (init) => kept(await transport.open({ netns: home.netns, ...init })),
    }
    return await behaviour(bench, t)
  } finally {
    for (const opened of closing.reverse()) await opened.close()
  }
}

/** What may differ between two kernels, or two runs: random link-layer addresses, and bigints' type. */
export function normalise(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string' && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(value)) {
    return value === '00:00:00:00:00:00' || value === 'ff:ff:ff:ff:ff:ff' ? value : 'MAC'
  }
  if (Array.isArray(value)) return value.map(normalise)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, normalise(each)]))
  }
  return value
}
