/** `nlkit run`: an unmodified program, and all that it starts, on a kernel of nlkit's. */
import { copyFileSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Kernel } from '../kernel/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { UsageError } from './exit.ts'
import { modules } from './kernel.ts'
import { type Parameters, text } from './parameter.ts'
import { runChild } from './run-child.ts'
import { checkProgram, findProgram, findShim } from './run-program.ts'
import { SERVED } from './session.ts'

const parameters = {
  record: text('FILE', 'what is said on the kernel meanwhile, as a pcapng file'),
  module: modules,
} satisfies Parameters

const shims = new URL('../../native/preload/prebuilt/', import.meta.url)

/** A kernel that is served as long as it is needed. */
interface Served {
  readonly path: string
  close(): Promise<void>
}

/** A new kernel, or one that is given, with modules. */
interface New {
  readonly kernel: Kernel | undefined
  readonly modules: readonly string[] | undefined
}

/** One of our own, at a place that nobody else can reach. */
async function serveEphemeral(
  folder: string,
  call: Call,
  record: string | undefined,
  { kernel, modules = [] }: New,
): Promise<Served> {
  const { startDaemon } = await import('../daemon/daemon.ts')
  const path = join(folder, 'kernel.sock')
  const daemon = await startDaemon({ path, modules, ...(kernel && { kernel }) })
  if (record === undefined) return daemon
  try {
    const { recordToFile } = await import('../daemon/record-file.ts')
    const recording = recordToFile(daemon.kernel, record, ({ message }) => {
      call.err.line(`warning: the recording into ${record} ended: ${message}`)
    })
    const close = async (): Promise<void> => {
      recording.close()
      await daemon.close()
    }
    return { path: daemon.path, close }
  } catch (error) {
    await daemon.close()
    throw error
  }
}

/** The kernel that was named, once it has answered. @throws as `open` does; UsageError */
async function reach(call: Call, record: string | undefined): Promise<Served | undefined> {
  const { kernel } = call
  if (kernel === undefined) return undefined
  if (!kernel.startsWith(SERVED)) {
    throw new UsageError(
      `programs do not run on the kernel "${kernel}"`,
      kernel === 'live' ? 'without nlkit run they do' : '--kernel unix:PATH, or none',
    )
  }
  await call.open()
  const { defaultPath } = await import('../daemon/place.ts')
  const path = resolve(kernel === SERVED ? defaultPath() : kernel.slice(SERVED.length))
  if (record === undefined) return { path, close: async () => {} }
  const control = await openControl(call)
  await control.do('newRecord', { file: resolve(record) })
  const close = async (): Promise<void> => {
    await control.do('delRecord').catch(({ message }: Error) => {
      call.err.line(`warning: the recording into ${record} ended: ${message}`)
    })
  }
  return { path, close }
}

/** The shim's path as LD_PRELOAD takes it, in which spaces and colons divide. */
function preloadable(folder: string): string {
  const shim = fileURLToPath(findShim(shims))
  if (!/[\s:]/.test(shim)) return shim
  const copy = join(folder, 'shim.so')
  copyFileSync(shim, copy)
  return copy
}

/** The machine's network namespace that we are in, which stands for the kernel's own. */
function ownNamespace(): string | undefined {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]
  } catch {
    return undefined
  }
}

function surroundings(call: Call, shim: string, path: string): Record<string, string | undefined> {
  const { LD_PRELOAD: before } = call.env
  const base = ownNamespace()
  return {
    ...call.env,
    LD_PRELOAD: before ? `${shim}:${before}` : shim,
    NLKIT_SHIM: path,
    NLKIT_KERNEL: `${SERVED}${path}`,
    ...(base === undefined ? {} : { NLKIT_SHIM_BASE: base }),
    ...(call.netns === undefined ? {} : { NLKIT_SHIM_NETNS: call.netns }),
  }
}

/**
 * Runs the program behind `--`, on the kernel that was named, or on `kernel`, or on a new one; what
 * is said is recorded into the file `record`, if any.
 */
export async function runProgram(
  call: Call,
  record?: string,
  kernel?: Kernel,
  modules?: readonly string[],
): Promise<number> {
  const [name] = call.behind
  if (name === undefined)
    throw new UsageError('no program is given', 'it stands behind two dashes: nlkit run -- ip link')
  const file = findProgram(name, call.env.PATH)
  checkProgram(file)
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-run-'))
  let served: Served | undefined
  try {
    const shim = preloadable(folder)
    const named = kernel ? undefined : await reach(call, record)
    if (named && modules)
      throw new UsageError('--module is for a new kernel', 'nlkit module insmod FILE')
    served = named ?? (await serveEphemeral(folder, call, record, { kernel, modules }))
    const env = surroundings(call, shim, served.path)
    return await runChild({ file, argv: call.behind, env })
  } finally {
    await served?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const command: Command = {
  only: verb({
    summary: 'runs a program on a kernel of its own, or on a served one',
    examples: [
      'nlkit run -- ip link',
      'nlkit run -- bash',
      'nlkit run --record talk.pcapng -- ip link add br0 type bridge',
      'nlkit run --kernel unix:/tmp/k.sock -- ip monitor',
    ],
    behind: 'CMD [ARGS...]',
    parameters,
    run: (call) => runProgram(call, call.given.record, undefined, call.given.module),
  }),
}
