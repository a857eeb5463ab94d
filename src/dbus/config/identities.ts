/** Users and groups of this system, from /etc/passwd and /etc/group. */
import { existsSync, readFileSync } from 'node:fs'
import type { Identities } from '../policy/rule.ts'

/** Bytes of a command line that the reference's log shows. */
const MOST_OF_COMMAND = 50

/** Lines of a colon-separated file; none if it cannot be read. */
function records(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}

/** A name's number in the third column; digits stand for themselves. */
function idOf(rows: readonly string[][], name: string): number | undefined {
  const row = rows.find(([first]) => first === name)
  if (row) return Number(row[2])
  return /^\d{1,10}$/.test(name) ? Number(name) : undefined
}

/** What the system says now. It is read once, at the first question. */
export function systemIdentities(): Identities {
  let users: string[][] | undefined
  let groups: string[][] | undefined
  const passwd = (): string[][] => (users ??= records('/etc/passwd'))
  const group = (): string[][] => (groups ??= records('/etc/group'))
  const userOf = (uid: number): string[] | undefined =>
    passwd().find(([, , id]) => Number(id) === uid)
  return {
    uidOf: (user) => idOf(passwd(), user),
    gidOf: (name) => idOf(group(), name),
    groupsOf(uid) {
      const user = userOf(uid)
      if (!user) return []
      const others = group().filter(([, , , members]) => members?.split(',').includes(user[0]!))
      return [...new Set([Number(user[3]), ...others.map(([, , gid]) => Number(gid))])]
    },
    isAtConsole(uid) {
      const name = userOf(uid)?.[0]
      return name !== undefined && existsSync(`/run/console/${name}`)
    },
    commandOf(pid) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').slice(0, MOST_OF_COMMAND)
        return line.replaceAll('\0', ' ').replace(/[^ -~]/g, '?')
      } catch {
        return undefined
      }
    },
  }
}
