/** `nlkit dbus start`: takes dbus-daemon's options, so that it can be started in its place. */
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Daemon } from '../daemon/daemon.ts'
import type { ConfigurationSource } from '../dbus/config/configuration.ts'
import type { RunningBus } from '../dbus/gateway/start.ts'
import { type Call, verb } from './command.ts'
import { setupOf } from './dbus-setup.ts'
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
  syslog: flag('accepted: complaints go to the standard error output'),
  nosyslog: flag('accepted: complaints go to the standard error output'),
  syslogOnly: flag('accepted: complaints go to the standard error output'),
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

async function serve(call: StartCall): Promise<void> {
  const { startBus } = await import('../dbus/gateway/start.ts')
  const { address, printAddress, printPid, systemdActivation } = call.given
  const bus = await startBus({
    ...setupOf(
      sourceOf(call),
      address === undefined ? [] : [address],
      `unix:tmpdir=${tmpdir()}`,
      systemdActivation === true,
    ),
    features: systemdActivation ? ['SystemdActivation'] : [],
    log: (line) => call.err.line(line),
  })
  const door = await serveKernel(bus, call.given.serveKernel)
  print(call, printAddress, bus.address)
  print(call, printPid, String(process.pid))
  if (printAddress === undefined && printPid === undefined) tell(call, bus.address, door?.path)
  await new Promise<void>((end) => {
    void door?.ended.then(end)
    call.signal.addEventListener('abort', () => end(), { once: true })
    process.once('SIGTERM', () => end())
    process.on('SIGHUP', () => bus.bus.reload())
    if (call.signal.aborted) end()
  })
  bus.close()
  await door?.close()
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
  try {
    return await startDaemon({ kernel, path: path === '' ? kernelPathOf(bus) : resolve(path) })
  } catch (error) {
    bus.close()
    throw error
  }
}

/** Starts another process that serves, and returns when it has told where. */
async function serveDetached(call: StartCall): Promise<number> {
  const { printAddress, printPid, configFile, session, system, address, systemdActivation } =
    call.given
  const { serveKernel: kernel } = call.given
  const args = [programFile(), 'dbus', 'start', '--nofork', '--print-address=1', '--print-pid=1']
  if (configFile !== undefined) args.push(`--config-file=${configFile}`)
  if (address !== undefined) args.push(`--address=${address}`)
  if (session) args.push('--session')
  if (system) args.push('--system')
  if (systemdActivation) args.push('--systemd-activation')
  if (kernel !== undefined) args.push(`--serve-kernel${kernel === '' ? '' : `=${resolve(kernel)}`}`)
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const code = await new Promise<number>((done, failed) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part
      const [where, pid, rest] = said.split('\n')
      if (rest === undefined) return
      print(call, printAddress, where!)
      print(call, printPid, pid!)
      done(EXIT.ok)
    })
    child.on('error', failed)
    child.on('close', (status) => done(status ?? EXIT.bug))
  })
  child.stdout.destroy()
  child.unref()
  return code
}

export const start = verb({
  summary: "serves a message bus, in dbus-daemon's place",
  examples: [
    'nlkit dbus start --session --print-address',
    'nlkit dbus start --config-file=/usr/share/dbus-1/session.conf --address=unix:path=/tmp/bus --fork',
  ],
  parameters,
  async run(call) {
    const { session, system, configFile, fork, nofork } = call.given
    if ([session, system, configFile].filter((given) => given !== undefined).length > 1)
      throw new UsageError('one of --session, --system and --config-file')
    if (fork && !nofork) return await serveDetached(call)
    await serve(call)
    return EXIT.ok
  },
})
