/** The two kernels of a scene: this machine's in a new network namespace, and one of nlkit's. */
import { release } from 'node:os'
import { isNetlinkError, type Netlink, open } from '../../index.ts'
import { Kernel } from '../../kernel/index.ts'
import { newNetns } from '../../transport/netns.ts'

/** A kernel, and a client in a namespace where nobody else changes anything. */
export interface Side {
  readonly name: string
  /** Absent where this machine does not allow it: `reason` says why. */
  readonly nl: Netlink | undefined
  readonly reason: string | undefined
  close(): Promise<void>
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
      return { name, nl, reason: undefined, close }
    } catch (error) {
      netns.close()
      throw error
    }
  } catch (error) {
    return { name, nl: undefined, reason: reasonOf(error), close: async () => undefined }
  }
}

async function nlkitSide(): Promise<Side> {
  const kernel = new Kernel()
  const nl = await open({ kernel })
  const close = async () => {
    await nl.close()
    await kernel.close()
  }
  return { name: NLKIT, nl, reason: undefined, close }
}

/** Both, this machine's first. */
export async function openSides(): Promise<readonly Side[]> {
  return [await liveSide(), await nlkitSide()]
}
