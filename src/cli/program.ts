/** The command line as commander sees it: commands, their options, their help. */
import type { Command as Commander, CommanderError } from 'commander'
import { didYouMean } from '../client/nearest.ts'
import type { Verb } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { UsageError } from './exit.ts'
import { addGlobalOptions, type Common, normalise, readCommon } from './global-options.ts'
import { optionName } from './words.ts'

/** What a command line asks for: text that only has to be shown, a batch, or a command. */
export interface Parsed {
  readonly text?: string
  readonly common?: Common
  readonly verb?: Verb
  readonly words?: readonly string[]
  readonly verbOptions?: Readonly<Record<string, unknown>>
  /** What stands behind `--`, for a verb that takes it as it is. */
  readonly behind?: readonly string[]
}

type Choose = (verb: Verb, command: Commander) => void

const EXAMPLES = [
  'nlkit link list',
  'nlkit link set eth0 --mtu 9000 --up',
  'nlkit route add 10.0.0.0/8 via 192.168.0.1 dev eth0',
  'nlkit monitor link addr',
]

const EPILOGUE = `
Every option may stand before or after the command; --mtu 9000 and mtu 9000 are the same.
Exit codes: 0 done, 1 the kernel refused, 2 wrong command line, 3 events were lost, 4 no way to the
kernel, 5 timeout, 70 a fault of nlkit's own, 130 Ctrl-C.`

function showExamples(command: Commander, examples: readonly string[]): void {
  command.addHelpText('before', `${examples.map((line) => `  ${line}`).join('\n')}\n`)
}

function operandOf({ subject, many, behind }: Verb): string {
  if (behind) return `[options] -- ${behind}`
  if (!subject) return many ? `[${many}]` : ''
  return subject.required ? subject.placeholder : `[${subject.placeholder}]`
}

function repeat(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

function configureVerb(command: Commander, verb: Verb, choose: Choose): void {
  command
    .description(verb.summary)
    .usage(verb.behind ? operandOf(verb) : `${operandOf(verb)} [options]`.trimStart())
    .argument('[words...]')
    .configureHelp({ visibleArguments: () => [], showGlobalOptions: true })
    .action(() => choose(verb, command))
  showExamples(command, verb.examples)
  for (const [key, { placeholder, about, group, isOptional }] of Object.entries(verb.parameters)) {
    const name = `--${optionName(key)}`
    if (group) command.option(`${name} <WORDS>`, about, repeat)
    else if (isOptional) command.option(`${name} [${placeholder}]`, about)
    else command.option(placeholder === undefined ? name : `${name} <${placeholder}>`, about)
  }
}

/** commander takes `--no-legend` as a word about `legend`, true unless that is said. */
function optionsOf(
  { parameters }: Verb,
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const found = { ...options }
  for (const key of Object.keys(parameters)) {
    const [, first, rest = ''] = /^no([A-Z])(.*)$/.exec(key) ?? []
    if (first === undefined) continue
    const positive = first.toLowerCase() + rest
    if (found[positive] === false) found[key] = true
    delete found[positive]
  }
  return found
}

/** Adds the verbs of an object; without one it lists, if it can. */
function configureObject(
  command: Commander,
  verbs: Readonly<Record<string, Verb>>,
  choose: Choose,
): void {
  for (const [name, verb] of Object.entries(verbs)) {
    const added = command
      .command(name)
      .summary(verb.summary)
      .aliases(verb.aliases ?? [])
    configureVerb(added, verb, choose)
  }
  const known = Object.entries(verbs).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])])
  command
    .usage('VERB [options]')
    .argument('[verb]')
    .configureHelp({ visibleArguments: () => [], subcommandTerm: (verb) => verb.name() })
    .allowExcessArguments()
    .action((word: string | undefined) => {
      if (word !== undefined)
        throw new UsageError(
          `unknown command "${command.name()} ${word}"`,
          didYouMean(word, known) ?? `there are ${Object.keys(verbs).join(', ')}`,
        )
      if (!verbs.list)
        throw new UsageError(
          `"${command.name()}" needs a verb`,
          `there are ${Object.keys(verbs).join(', ')}`,
        )
      choose(verbs.list, command)
    })
  const [first] = Object.values(verbs)
  showExamples(command, (verbs.list ?? first)?.examples.slice(0, 1) ?? [])
}

/** Adds a command; what it consists of only when the command line names it. */
async function addCommand(
  program: Commander,
  entry: CommandEntry,
  words: readonly string[],
  choose: Choose,
): Promise<void> {
  const { name, aliases, summary } = entry
  const added = program.command(name).summary(summary).description(summary).aliases(aliases)
  if (![name, ...aliases].some((known) => words.includes(known))) return
  const { command } = await entry.load()
  if ('only' in command) configureVerb(added, command.only, choose)
  else configureObject(added, command.verbs, choose)
}

/** commander's sentence and suggestion as ours. */
function usageError(error: CommanderError): UsageError {
  const [, message, name] =
    /^(?:error: )?([\s\S]*?)(?:\s*\(Did you mean (?:one of )?(.*)\?\))?$/.exec(
      error.message.trim(),
    ) ?? []
  return new UsageError(
    (message ?? error.message).replaceAll("'", '"'),
    name && `did you mean ${name}?`,
  )
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && (error as CommanderError).code?.startsWith?.('commander.')
}

function configureProgram(program: Commander, version: string, write: (text: string) => void) {
  program
    .description('The network of a kernel, through netlink.')
    .version(version, '-V, --version', 'the version of nlkit')
    .usage('COMMAND [VERB] [options]')
    .exitOverride()
    .allowExcessArguments()
    .configureOutput({
      writeOut: write,
      writeErr: write,
      outputError: () => undefined,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpCommand('help [command]', 'what a command takes')
    .addHelpText('after', EPILOGUE)
  showExamples(program, EXAMPLES)
  addGlobalOptions(program)
}

/** The words before `--`, and those behind it if it is there. */
function splitBehind(argv: readonly string[]): [readonly string[], (readonly string[])?] {
  const at = argv.indexOf('--')
  return at < 0 ? [argv] : [argv.slice(0, at), argv.slice(at + 1)]
}

/**
 * Reads a command line. Loads the commands that it names, no others.
 * @throws UsageError
 */
export async function parse(argv: readonly string[], version: string): Promise<Parsed> {
  const { Command } = await import('commander')
  const [own, behind] = splitBehind(argv)
  const words = normalise(own)
  const program = new Command('nlkit')
  let text = ''
  let chosen: Parsed | undefined
  configureProgram(program, version, (part) => {
    text += part
  })
  program.action(() => {
    if (program.opts().batch !== undefined) return
    const [word] = program.args
    if (word === undefined) throw new UsageError('no command', 'nlkit --help lists them')
    const known = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases])
    throw new UsageError(`unknown command "${word}"`, didYouMean(word, known))
  })
  const choose: Choose = (verb, command) => {
    chosen = { verb, words: command.args, verbOptions: optionsOf(verb, command.opts()) }
  }
  for (const entry of COMMANDS) await addCommand(program, entry, words, choose)
  try {
    program.parse(words, { from: 'user' })
  } catch (error) {
    if (!isCommanderError(error)) throw error
    if (error.exitCode === 0) return { text }
    throw usageError(error)
  }
  const { family, ...others } = program.opts()
  const isOwn = family !== undefined && chosen?.verb && 'family' in chosen.verb.parameters
  if (chosen && isOwn) chosen = { ...chosen, verbOptions: { ...chosen.verbOptions, family } }
  const common = readCommon(isOwn ? others : program.opts())
  if (chosen && common.batch !== undefined)
    throw new UsageError('--batch and a command exclude each other')
  if (behind && chosen?.verb && !chosen.verb.behind)
    return { ...chosen, words: [...(chosen.words ?? []), ...behind], common }
  return { ...chosen, behind: behind ?? [], common }
}
