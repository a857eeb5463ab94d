/** .service files: what provides a name, and how it is started (D-Bus Specification, "Message Bus Starting Services"). */
import { isWellKnownName } from '../message/index.ts'

export interface Service {
  readonly name: string
  readonly exec: string | undefined
  /** Whose rights it takes, on a system bus. */
  readonly user: string | undefined
  /** The unit that systemd starts for it. */
  readonly systemdService: string | undefined
}

const SECTION = 'D-BUS Service'

/** The service that a file describes; a text says what is wrong with it. */
export function parseServiceFile(source: string): Service | string {
  const keys = new Map<string, string>()
  let section: string | undefined
  for (const [index, raw] of source.split('\n').entries()) {
    const line = raw.replace(/\r$/, '')
    if (/^\s*(#|$)/.test(line)) continue
    const header = /^\[([^[\]]+)\]\s*$/.exec(line)
    const entry = /^([A-Za-z0-9-]+)(?:\[[^\]]*\])?\s*=\s*(.*)$/.exec(line)
    if (header) section = header[1]
    else if (!entry || section === undefined) return `line ${index + 1} is neither section nor key`
    else if (section === SECTION && !line.includes(']=')) keys.set(entry[1]!, unescaped(entry[2]!))
  }
  const name = keys.get('Name')
  if (name === undefined) return 'there is no Name'
  if (!isWellKnownName(name)) return `"${name}" is not a valid name`
  const systemdService = keys.get('SystemdService')
  const exec = keys.get('Exec')
  if (exec === undefined && systemdService === undefined) return 'there is no Exec'
  return { name, exec, user: keys.get('User'), systemdService }
}

const ESCAPES: Readonly<Record<string, string>> = { s: ' ', t: '\t', n: '\n', r: '\r', '\\': '\\' }

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, (whole, char: string) => ESCAPES[char] ?? whole)
}
