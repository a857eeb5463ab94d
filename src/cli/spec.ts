/** `nlkit spec`: Linux's YAML specs of netlink families, as files of nlkit's and checked. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, verb } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { flag, text } from './parameter.ts'
import { problemLines, withSpec } from './spec-file.ts'

const subject = {
  placeholder: 'FILE',
  about: 'a spec, such as netdev.yaml of Documentation/netlink/specs',
  required: true,
} as const

const gen = verb({
  summary: 'a family file for the spec, to standard output',
  examples: ['nlkit spec gen netdev.yaml > netdev.ts'],
  subject,
  parameters: {},
  async run(call) {
    const file = call.subject as string
    const source = await withSpec(file, (spec, { generateFamily }) => generateFamily(spec))
    call.out.lines([source.trimEnd()])
  },
})

/** The headers of a directory, as C's compiler finds them. */
function headersIn(directory: string): (path: string) => string | undefined {
  return (path) => {
    const file = join(directory, path)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
}

const lint = verb({
  summary: 'what is wrong with a spec, and what the uapi headers say otherwise',
  examples: ['nlkit spec lint netdev.yaml', 'nlkit spec lint netdev.yaml --include /usr/include'],
  subject,
  parameters: {
    include: text('DIRECTORY', 'where the headers are; /usr/include if absent'),
    strict: flag('fails for warnings too'),
  },
  async run(call) {
    const file = call.subject as string
    const { include = '/usr/include' } = call.given
    if (!existsSync(include)) throw new UsageError(`there is no ${include}`)
    const [{ problems, header, compared }, format] = await withSpec(file, (spec, ynl) => [
      ynl.lintSpec(spec, headersIn(include)),
      ynl.formatProblem,
    ])
    if (call.options.json) call.out.json({ problems, header, compared })
    else call.out.lines(problemLines(file, problems, format))
    const isBad = problems.some(({ severity }) => severity === 'error')
    if (!call.options.quiet && !isBad && !call.options.json)
      call.err.line(`${file}: ${compared} constants compared with ${header ?? 'no header'}`)
    return isBad || (call.given.strict && problems.length > 0) ? EXIT.refused : EXIT.ok
  },
})

export const command: Command = { verbs: { gen, lint } }
