/** The two kernels of a scene: this machine's in a new network namespace, and one of nlkit's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server } from '../../daemon/server.ts'
import { isNetlinkError, type Netlink, open } from '../../index.ts'
import { Kernel } from '../../kernel/index.ts'
import { newNetns } from '../../transport/netns.ts'

/** A kernel, and a client in a namespace where nobody else changes anything. */
export interface Side {
  readonly name: string
  /** Absent where this machine does not allow it: `reason` says why. */
  readonly nl: Netlink | undefined
  readonly reason: string | undefined
  /** How other processes get to it, until it is closed. */
  reach(): Promise<Reach>
  close(): Promise<void>
}

/** A kernel as `transportTo` takes it, and the namespace there. */
export interface Reach {
  readonly kernel: string
  readonly netns?: string
}

const LINUX = 'Linux'
export const NLKIT = "nlkit's kernel"

/** The kernel of this machine, with its version. */
export function liveName(): string {
  return process.platform === 'linux' ? `${LINUX} ${release()}` : LINUX
}

/** One sentence of why something cannot be had. */
export function reasonOf(error: unknown): string {
  if (!isNetlinkError(error)) throw error
  return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`
}

async function liveSide(): Promise<Side> {
  const name = LINUX
  try {
    const netns = newNetns()
    try {
      const nl = await open({ netns })
      const close = async () => {
        await nl.close()
        netns.close()
      }
      const reach = async (): Promise<Reach> => ({ kernel: 'live', netns: netns.path })
      return { name, nl, reason: undefined, reach, close }
    } catch (error) {
      netns.close()
      throw error
    }
  } catch (error) {
    const reason = reasonOf(error)
    const reach = async (): Promise<Reach> => {
      throw error
    }
    return { name, nl: undefined, reason, reach, close: async () => undefined }
  }
}

async function nlkitSide(): Promise<Side> {
  const kernel = new Kernel()
  const nl = await open({ kernel })
  let served: { server: Server; folder: string } | undefined
  const reach = async (): Promise<Reach> => {
    served ??= serve(kernel)
    return { kernel: `unix:${served.server.path}` }
  }
  const close = async () => {
    await nl.close()
    served?.server.close()
    if (served) rmSync(served.folder, { recursive: true, force: true })
    await kernel.close()
  }
  return { name: NLKIT, nl, reason: undefined, reach, close }
}

/** Serves the kernel to other processes, at a place of its own. */
function serve(kernel: Kernel): { server: Server; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-tour-'))
  return { server: new Server(kernel, { path: join(folder, 'kernel.sock') }), folder }
}

/** Both, this machine's first. */
export async function openSides(): Promise<readonly Side[]> {
  return [await liveSide(), await nlkitSide()]
}
