/** `nlkit dbus start`: takes dbus-daemon's options, so that it can be started in its place. */
import { writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Daemon } from '../daemon/daemon.ts'
import type { ConfigurationSource } from '../dbus/config/configuration.ts'
import {
  becomeUser,
  checkPidFile,
  daemonUid,
  StartError,
  writePidFile,
} from '../dbus/config/own-process.ts'
import { peerCredentialsOfThisProcess } from '../dbus/gateway/peer-credentials.ts'
import type { RunningBus } from '../dbus/gateway/start.ts'
import { BUS_PATH } from '../dbus/index.ts'
import { NetlinkError } from '../errors.ts'
import { type Call, verb } from './command.ts'
import { type OwnProcess, type Setup, setupOf } from './dbus-setup.ts'
import { DETACHED, startDetached } from './detached.ts'
import { EXIT, UsageError } from './exit.ts'
import { flag, type Parameter, type Parameters, text } from './parameter.ts'
import { programFile } from './program-file.ts'
import { SERVED } from './session.ts'

/** The descriptor that a line is printed to; the standard output unless given. */
function descriptor(what: string): Parameter<number> {
  return {
    placeholder: 'FD',
    isOptional: true,
    about: `prints ${what} to the descriptor FD, the standard output unless given`,
    read(word) {
      if (word === '') return 1
      if (!/^\d+$/.test(word)) throw new UsageError(`expected a descriptor, got "${word}"`)
      return Number(word)
    },
  }
}

const parameters = {
  configFile: text('FILE', 'its configuration, an XML file'),
  session: flag('with the configuration of a session'),
  system: flag('with the configuration of the system'),
  address: text('ADDRESS', 'where it listens, instead of where the configuration says'),
  printAddress: descriptor('its address'),
  printPid: descriptor('its process id'),
  fork: flag('goes on in the background once it can be reached'),
  nofork: flag('stays in the foreground, whatever the configuration says'),
  systemdActivation: flag('lets systemd start services'),
  serveKernel: {
    placeholder: 'PATH',
    isOptional: true,
    about: 'serves its kernel too, at PATH or in the runtime folder: the bus by netlink',
    read: (word: string) => word,
  } as Parameter<string>,
  nopidfile: flag('writes no file with its process id'),
  syslog: flag('complains to the system log too'),
  nosyslog: flag('complains to the standard error output only'),
  syslogOnly: flag('complains to the system log only'),
  introspect: flag('prints what the bus itself can do, in XML'),
} satisfies Parameters

type StartCall = Call<typeof parameters>

/** Prints `line` to `fd`; a standard stream goes through the console's own writer. */
function print(call: StartCall, fd: number | undefined, line: string): void {
  if (fd === undefined) return
  if (fd === 1) call.out.line(line)
  else writeSync(fd, `${line}\n`)
}

function sourceOf({ given }: StartCall): ConfigurationSource | undefined {
  if (given.configFile !== undefined) return { file: given.configFile }
  if (given.system) return { system: true }
  return given.session ? { session: true } : undefined
}

/** What the bus says of its clients goes there. */
async function logOf(call: StartCall, own: OwnProcess): Promise<(line: string) => void> {
  const { syslog, nosyslog, syslogOnly } = call.given
  const onError = call.env[DETACHED] ? () => undefined : (line: string) => call.err.line(line)
  if (nosyslog || !(syslog || syslogOnly || own.syslog)) return onError
  const { systemLog } = await import('./dbus-log.ts')
  const toSystem = systemLog()
  if (!toSystem) return onError
  if (syslogOnly) return toSystem
  return (line) => {
    toSystem(line)
    onError(line)
  }
}

async function serve(call: StartCall, { bus: options, own }: Setup): Promise<void> {
  const { startBus } = await import('../dbus/gateway/start.ts')
  const pidfile = call.given.nopidfile ? undefined : own.pidfile
  await failing(() => pidfile !== undefined && checkPidFile(pidfile))
  const features = call.given.systemdActivation ? ['SystemdActivation'] : []
  const bus = await startBus({ ...options, features, log: await logOf(call, own) })
  let removePidFile: (() => void) | undefined
  let door: Daemon | undefined
  try {
    door = await serveKernel(bus, call.given.serveKernel)
    print(call, call.given.printAddress, bus.address)
    await failing(() => {
      if (own.user !== undefined) daemonUid(own.user)
      if (pidfile !== undefined) removePidFile = writePidFile(pidfile)
    })
    print(call, call.given.printPid, String(process.pid))
    await failing(() => own.user !== undefined && becomeUser(own.user))
    if (own.user !== undefined) bus.bus.credentials = peerCredentialsOfThisProcess()
    const { printAddress, printPid } = call.given
    if (printAddress === undefined && printPid === undefined) tell(call, bus.address, door?.path)
    if (call.env[DETACHED]) process.chdir('/')
    await lastOf(call, bus, door)
  } finally {
    bus.close()
    await door?.close()
    removePidFile?.()
  }
}

/** Runs `work`; where the process cannot be as it is asked for, that is told as the reference does. */
async function failing(work: () => unknown): Promise<void> {
  try {
    work()
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    const message = `Failed to start message bus: ${error.message}`
    throw new NetlinkError('NETLINK_INVALID', { message, cause: error })
  }
}

/** Until somebody ends it. */
function lastOf(call: StartCall, bus: RunningBus, door: Daemon | undefined): Promise<void> {
  return new Promise((end) => {
    void door?.ended.then(end)
    call.signal.addEventListener('abort', () => end(), { once: true })
    process.once('SIGTERM', () => end())
    process.on('SIGHUP', () => bus.bus.reload())
    if (call.signal.aborted) end()
  })
}

function tell(call: StartCall, address: string, path: string | undefined): void {
  const kernel = path === undefined ? undefined : `${SERVED}${path}`
  if (call.options.json) call.out.json({ address, pid: process.pid, kernel })
  else {
    call.out.line(`bus at ${address} (process ${process.pid})`)
    if (kernel !== undefined) call.out.line(`kernel at ${kernel}`)
  }
}

/** Lets other processes in by netlink; at the bus's own place in the runtime folder for an empty path. */
async function serveKernel(bus: RunningBus, path: string | undefined): Promise<Daemon | undefined> {
  if (path === undefined) return undefined
  const { startDaemon } = await import('../daemon/daemon.ts')
  const { kernelPathOf } = await import('./dbus-kernel.ts')
  const { kernel } = bus
  return startDaemon({ kernel, path: path === '' ? kernelPathOf(bus) : resolve(path) })
}

/** Words for the process that serves. */
function detachedArguments({ given }: StartCall): string[] {
  const args = ['dbus', 'start', '--nofork', '--print-address=1', '--print-pid=1']
  const { configFile, address, serveKernel: kernel } = given
  if (configFile !== undefined) args.push(`--config-file=${resolve(configFile)}`)
  if (address !== undefined) args.push(`--address=${address}`)
  if (given.session) args.push('--session')
  if (given.system) args.push('--system')
  if (given.systemdActivation) args.push('--systemd-activation')
  if (given.nopidfile) args.push('--nopidfile')
  if (given.syslog) args.push('--syslog')
  if (given.nosyslog) args.push('--nosyslog')
  if (given.syslogOnly) args.push('--syslog-only')
  if (kernel !== undefined) args.push(`--serve-kernel${kernel === '' ? '' : `=${resolve(kernel)}`}`)
  return args
}

/** Starts another process that serves, and returns when it has told where. */
async function serveDetached(call: StartCall, { own }: Setup): Promise<number> {
  const { printAddress, printPid } = call.given
  if (!own.keepUmask) process.umask(0o022)
  return startDetached(programFile(), detachedArguments(call), {
    lines: 2,
    out(said) {
      const [where = '', pid = ''] = said.split('\n')
      print(call, printAddress, where)
      print(call, printPid, pid)
      if (printAddress === undefined && printPid === undefined)
        call.out.line(`bus at ${where} (process ${pid})`)
    },
    err: (said) => call.err.lines(said.trimEnd().split('\n')),
  })
}

export const start = verb({
  summary: "serves a message bus, in dbus-daemon's place",
  examples: [
    'nlkit dbus start --session --print-address',
    'nlkit dbus start --config-file=/usr/share/dbus-1/session.conf --address=unix:path=/tmp/bus --fork',
  ],
  parameters,
  async run(call) {
    const { session, system, configFile, fork, nofork, introspect, address } = call.given
    const { systemdActivation } = call.given
    if ([session, system, configFile].filter((given) => given !== undefined).length > 1)
      throw new UsageError('one of --session, --system and --config-file')
    if (introspect) {
      const { introspection } = await import('../dbus/driver/driver.ts')
      call.out.line(introspection(BUS_PATH).trimEnd())
      return EXIT.ok
    }
    const setup = setupOf(
      sourceOf(call),
      address === undefined ? [] : [address],
      `unix:tmpdir=${tmpdir()}`,
      systemdActivation === true,
    )
    if ((fork || setup.own.fork) && !nofork) return await serveDetached(call, setup)
    await serve(call, setup)
    return EXIT.ok
  },
})
