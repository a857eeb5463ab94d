/** dbus-daemon, or nlkit in its place, as a process with a configuration and services of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Side = 'dbus-daemon' | 'nlkit'

export interface Daemon {
  readonly side: Side
  readonly address: string
  /** Of its socket. */
  readonly path: string
  readonly pid: number
  /** Where its files are. */
  readonly folder: string
  /** Ends it, and takes its files away. */
  stop(): Promise<void>
}

export interface DaemonOptions {
  /** Elements of its configuration, beside type, listen, auth and servicedir. */
  readonly configuration?: string
  /** Files of its services, by name. */
  readonly services?: Readonly<Record<string, string>>
}

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const REAL = '/usr/bin/dbus-daemon'
const READY_MS = 30_000

/** Allows all, as a session's bus does. */
export const OPEN_POLICY =
  '<policy context="default"><allow send_destination="*" eavesdrop="true"/>' +
  '<allow eavesdrop="true"/><allow own="*"/></policy>'

/** Why there is nothing to compare with; false where there is. */
export const missingDaemon: string | false = existsSync(REAL) ? false : 'dbus-daemon is missing'

function write(folder: string, options: DaemonOptions): string {
  const services = join(folder, 'services')
  mkdirSync(services)
  for (const [name, text] of Object.entries(options.services ?? {}))
    writeFileSync(join(services, name), text)
  const file = join(folder, 'bus.conf')
  writeFileSync(
    file,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:path=${folder}/bus</listen>
<auth>EXTERNAL</auth><servicedir>${services}</servicedir>
${options.configuration ?? OPEN_POLICY}</busconfig>
`,
  )
  return file
}

async function firstLine(child: ChildProcess): Promise<string> {
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  let said = ''
  for await (const part of child.stdout!.setEncoding('utf8')) {
    said += part
    if (said.includes('\n')) break
  }
  clearTimeout(late)
  return said.split('\n')[0]!
}

export async function startDaemon(side: Side, options: DaemonOptions = {}): Promise<Daemon> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-daemon-'))
  const words = [`--config-file=${write(folder, options)}`, '--nofork', '--print-address=1']
  const command = side === 'nlkit' ? [process.execPath, MAIN, 'dbus', 'start'] : [REAL]
  const child = spawn(command[0]!, [...command.slice(1), ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LANG: 'C' },
  })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
    child.stdout.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
  const address = await firstLine(child)
  if (address === '') {
    await stop()
    throw new Error(`${side} has not started`)
  }
  return { side, address, path: `${folder}/bus`, pid: child.pid!, folder, stop }
}
