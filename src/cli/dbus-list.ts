/** `nlkit dbus list`: names on a bus, who has them, and what could be started. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { CallError } from '../dbus/bus/call-error.ts'
import type { BusConnection } from '../dbus/client/connection.ts'
import type { Variant } from '../dbus/message/index.ts'
import { verb } from './command.ts'
import { busParameters, withBus } from './dbus-bus.ts'
import { flag } from './parameter.ts'

interface Row {
  readonly name: string
  readonly pid: number | null
  readonly process: string | null
  readonly user: string | null
  readonly connection: string | null
  readonly unit: null
  readonly session: null
  readonly description: null
}

function row(name: string, connection: string | null, more: Partial<Row> = {}): Row {
  const nobody = { pid: null, process: null, user: null }
  return { name, ...nobody, connection, unit: null, session: null, description: null, ...more }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function userName(uid: number): string {
  if (uid === process.getuid?.()) return userInfo().username
  const line = read('/etc/passwd')
    ?.split('\n')
    .find((one) => one.split(':')[2] === String(uid))
  return line?.split(':')[0] ?? String(uid)
}

/** Who has a name; undefined when it is gone meanwhile. */
async function ownerRow(bus: BusConnection, name: string): Promise<Row | undefined> {
  try {
    const owner = name.startsWith(':')
      ? name
      : (await bus.callBus('GetNameOwner', 's', name)).body[0]
    const { body } = await bus.callBus('GetConnectionCredentials', 's', name)
    const credentials = body[0] as Map<string, Variant>
    const pid = credentials.get('ProcessID')?.value as number | undefined
    const uid = credentials.get('UnixUserID')?.value as number | undefined
    const connection = owner === name && !name.startsWith(':') ? null : (owner as string)
    return row(name, connection, {
      pid: pid ?? null,
      process: pid === undefined ? null : (read(`/proc/${pid}/comm`)?.trimEnd() ?? 'n/a'),
      user: uid === undefined ? null : userName(uid),
    })
  } catch (error) {
    if (error instanceof CallError) return undefined
    throw error
  }
}

async function rows(bus: BusConnection, wants: Readonly<Record<string, boolean>>): Promise<Row[]> {
  const [owned] = (await bus.callBus('ListNames')).body as [string[]]
  const [startable] = (await bus.callBus('ListActivatableNames')).body as [string[]]
  const found: Row[] = []
  for (const name of owned) {
    if (!(name.startsWith(':') ? wants.unique : wants.acquired)) continue
    const owner = await ownerRow(bus, name)
    if (owner) found.push(owner)
  }
  if (wants.activatable)
    for (const name of new Set(startable))
      if (!owned.includes(name)) found.push(row(name, '(activatable)'))
  return found.sort((a, b) => compare(a.name, b.name))
}

/** By bytes, but numbers of unique names by their values. */
function compare(a: string, b: string): number {
  if (a.startsWith(':') && b.startsWith(':'))
    return a.length - b.length || (a < b ? -1 : Number(a > b))
  return a < b ? -1 : Number(a > b)
}

const COLUMNS = [
  'name',
  'pid',
  'process',
  'user',
  'connection',
  'unit',
  'session',
  'description',
] as const

/** Rows below their headings, if they have any; numbers stand at the right. */
function tableOf(rows: readonly Row[], hasHeadings: boolean): string[] {
  const cells = rows.map((row) => COLUMNS.map((column) => String(row[column] ?? '-')))
  const headings = COLUMNS.map((column) => column.toUpperCase())
  const all = hasHeadings ? [headings, ...cells] : cells
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) =>
    row
      .map((cell, i) =>
        COLUMNS[i] === 'pid' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join(' ')
      .trimEnd(),
  )
}

export const list = verb({
  summary: 'names on a bus, and who has them',
  examples: ['nlkit dbus list', 'nlkit dbus list --acquired -j'],
  parameters: {
    ...busParameters,
    acquired: flag('only names that were asked for'),
    unique: flag('only unique names'),
    activatable: flag('only names that can be started'),
    noLegend: flag('without headings'),
  },
  async run(call) {
    const { acquired, unique, activatable } = call.given
    const all = !acquired && !unique && !activatable
    return withBus(call, 'Failed to list names', async (bus) => {
      const found = await rows(bus, {
        acquired: all || acquired === true,
        unique: all || unique === true,
        activatable: all || activatable === true,
      })
      if (call.options.json) call.out.json(found)
      else call.out.lines(tableOf(found, call.given.noLegend !== true))
      return undefined
    })
  },
})
