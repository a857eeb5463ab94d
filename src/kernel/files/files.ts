/** Files that Linux shows of a network namespace, by their absolute paths. */
import type { NetStack } from '../net/stack.ts'
import { classNetFile } from './class-net.ts'

/** S_IFDIR and S_IFREG. */
const DIRECTORY = 0o040000
const REGULAR = 0o100000

/** A file, or a folder: it has names then. */
export interface KernelFile {
  /** Permissions. */
  readonly mode: number
  readonly names?: readonly string[]
  /** @throws NetlinkError what read(2) would fail with */
  read?(): string
  /** Takes what is written at once. @throws NetlinkError what write(2) would fail with */
  write?(text: string): void
}

const PROC_SYS = '/proc/sys/net'
const CLASS_NET = '/sys/class/net'

/** The file at `path`, which has no empty parts; undefined where there is none. */
export function kernelFile(stack: NetStack, path: string): KernelFile | undefined {
  const isBelow = (folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
  if (isBelow(PROC_SYS)) return procSysFile(stack, path.slice('/proc/sys/'.length))
  if (isBelow(CLASS_NET))
    return classNetFile(stack, path.slice(CLASS_NET.length).split('/').slice(1))
  return undefined
}

/** st_mode of it. */
export function fileMode({ mode, names }: KernelFile): number {
  return (names ? DIRECTORY : REGULAR) | mode
}

function procSysFile({ sysctls }: NetStack, path: string): KernelFile | undefined {
  const mode = sysctls.mode(path)
  if (mode !== undefined) {
    return {
      mode,
      read: () => `${sysctls.read(path)}\n`,
      write: (text) => sysctls.write(path, text),
    }
  }
  const names = sysctls.folder(path)
  return names && { mode: 0o555, names }
}
