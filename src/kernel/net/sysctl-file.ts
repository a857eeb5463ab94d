/**
 * A directory of settings below /proc/sys, and numbers as they are written there.
 *
 * Kernel: kernel/sysctl.c proc_dointvec().
 */
import { NetlinkError } from '../../errors.ts'

/** The files of one directory. */
export interface SysctlDirectory {
  names(): Iterable<string>
  /** Permissions, where they are not 0644. */
  mode?(name: string): number | undefined
  /** What the file says; undefined where there is none. @throws NetlinkError EIO */
  read(name: string): string | undefined
  /** Whether there is such a file. @throws NetlinkError EINVAL, EACCES, EIO */
  write(name: string, text: string): boolean
}

const INT_MIN = -0x80000000
const INT_MAX = 0x7fffffff

/** proc_dointvec(): decimal, hexadecimal with 0x, octal with 0. @throws NetlinkError EINVAL */
export function parseInteger(text: string, min = INT_MIN, max = INT_MAX): number {
  const match = /^\s*(-?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)\s*$/i.exec(text)
  if (!match) throw new NetlinkError('EINVAL')
  const [, sign, digits = ''] = match
  const isOctal = /^0[0-7]+$/.test(digits)
  const value = (sign ? -1 : 1) * Number(isOctal ? `0o${digits}` : digits)
  if (value < min || value > max) throw new NetlinkError('EINVAL')
  return value
}
