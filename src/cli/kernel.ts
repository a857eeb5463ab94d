/** `nlkit kernel`: a kernel of nlkit's, served to other processes. */
import { resolve } from 'node:path'
import { isNetlinkError, NetlinkError } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { DETACHED, startDetached } from './detached.ts'
import { UsageError } from './exit.ts'
import { flag, type Parameter, type Parameters, text } from './parameter.ts'
import { programFile } from './program-file.ts'
import { SERVED } from './session.ts'

/** Milliseconds that a stopped kernel has to go. */
const STOP_TIME = 5000

/** `--module`, which may be given again. */
export const modules: Parameter<readonly string[]> = {
  placeholder: 'FILE',
  about: 'a module to load, .js or .ts; may be given again',
  group: [],
  read(word) {
    if (word === '') throw new UsageError('--module takes a file')
    return [resolve(word)]
  },
}

const startParameters = {
  listen: text('PATH', "the socket's path; in the user's runtime folder unless given"),
  module: modules,
  detach: flag('goes on in the background once it is served'),
} satisfies Parameters

function told(call: Call, path: string, pid: number | undefined): void {
  if (call.options.json) call.out.json({ kernel: `${SERVED}${path}`, pid })
  else call.out.line(`kernel at ${SERVED}${path} (process ${pid})`)
}

/** Serves until Ctrl-C, SIGTERM or `nlkit kernel stop`. */
async function serveHere(call: Call<typeof startParameters>): Promise<void> {
  const { startDaemon } = await import('../daemon/daemon.ts')
  const { listen, module } = call.given
  const path = listen === undefined ? undefined : resolve(listen)
  if (call.env[DETACHED]) process.chdir('/')
  const daemon = await startDaemon({ path, modules: module ?? [] })
  const end = (): void => void daemon.close()
  call.signal.addEventListener('abort', end, { once: true })
  process.once('SIGTERM', end)
  process.once('SIGHUP', end)
  if (call.signal.aborted) end()
  told(call, daemon.path, process.pid)
  await daemon.ended
  process.off('SIGTERM', end)
  process.off('SIGHUP', end)
}

/** Serves in a process of its own, and returns when it is ready or has failed. */
function serveDetached(call: Call<typeof startParameters>): Promise<number> {
  const { listen, module = [] } = call.given
  const args = ['kernel', 'start', ...(call.options.json ? ['-j'] : [])]
  if (listen !== undefined) args.push('--listen', listen)
  for (const file of module) args.push('--module', file)
  return startDetached(programFile(), args, {
    out: (text) => call.out.lines(text.trimEnd().split('\n')),
    err: (text) => call.err.lines(text.trimEnd().split('\n')),
  })
}

const start = verb({
  summary: 'serves a kernel of its own to other processes',
  examples: [
    'nlkit kernel start',
    'nlkit kernel start --listen /tmp/k.sock --module door.js --detach',
    'nlkit --kernel unix:/tmp/k.sock link list',
  ],
  parameters: startParameters,
  run: (call) => (call.given.detach ? serveDetached(call) : serveHere(call)),
})

const status = verb({
  summary: 'whether a kernel is served, and by whom',
  examples: ['nlkit kernel status', 'nlkit --kernel unix:/tmp/k.sock kernel status -j'],
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    const { pid, version, path, uptime, clients } = await control.do('getStatus')
    const seconds = Number(uptime) / 1000
    if (call.options.json) call.out.json({ path, pid, version, uptime: seconds, clients })
    else {
      call.out.line(`kernel at ${SERVED}${path} (process ${pid})`)
      call.out.line(`nlkit ${version}, up ${seconds.toFixed(1)} s, ${clients} connections`)
    }
  },
})

/** Resolves when nobody serves the kernel any more. */
async function gone(call: Call): Promise<void> {
  const { open } = await import('../index.ts')
  const control = await openControl(call)
  const { path } = await control.do('getStatus')
  await control.do('stop')
  const deadline = performance.now() + STOP_TIME
  while (performance.now() < deadline) {
    try {
      const nl = await open({ kernel: `${SERVED}${path}`, timeout: STOP_TIME })
      await nl.close()
    } catch (error) {
      if (isNetlinkError(error)) return
      throw error
    }
    await new Promise((next) => setTimeout(next, 10))
  }
  throw new NetlinkError('NETLINK_TIMEOUT', { message: 'the kernel has not stopped' })
}

const stop = verb({
  summary: 'ends the kernel that is served',
  examples: ['nlkit kernel stop', 'nlkit --kernel unix:/tmp/k.sock kernel stop'],
  parameters: {},
  run: gone,
})

export const command: Command = { verbs: { list: status, start, status, stop } }
