/** `nlkit record`: what a served kernel and its processes say, as a capture file. */
import { resolve } from 'node:path'
import { type Call, type Command, verb } from './command.ts'
import { openControl } from './control.ts'
import { UsageError } from './exit.ts'
import { runProgram } from './run-command.ts'

/** Until Ctrl-C, or until the kernel ends. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

async function record(call: Call): Promise<number | undefined> {
  const { subject: file } = call
  if (file === undefined) throw new UsageError('FILE is missing: where it is recorded to')
  if (call.behind.length > 0) return runProgram(call, file)
  const control = await openControl(call)
  await control.do('newRecord', { file: resolve(file) })
  call.err.line(`recording into ${file}; Ctrl-C ends it`)
  await aborted(call.signal)
  return undefined
}

export const command: Command = {
  only: verb({
    summary: 'records what a kernel and its programs say, as pcapng',
    examples: [
      'nlkit record talk.pcapng -- ip link',
      'nlkit --kernel unix:/tmp/k.sock record talk.pcapng',
    ],
    subject: { placeholder: 'FILE', about: 'a pcapng file, made anew', required: true },
    behind: 'CMD [ARGS...]',
    parameters: {},
    run: record,
  }),
}
