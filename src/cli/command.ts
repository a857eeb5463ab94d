/** What a command is: its words, its help, and the function that runs it. */
import type { Output } from './output.ts'
import type { Given, Parameters } from './parameter.ts'
import type { Connection } from './session.ts'

/** Options that every command has, before and after its name. */
export interface GlobalOptions {
  readonly json: boolean
  readonly details: boolean
  /** How many times counters were asked for: `-s -s` shows those of errors too. */
  readonly statistics: number
  readonly brief: boolean
  /** Each object on one line. */
  readonly oneline: boolean
  /** Of a monitor: how the time of an event is told. */
  readonly timestamp: 'long' | 'short' | undefined
  readonly quiet: boolean
  readonly hints: boolean
  /** `-4` and `-6`. */
  readonly family: 'inet' | 'inet6' | undefined
  /** `-M`: MPLS, which routes and netconf know. */
  readonly mpls: boolean
  /** `-0`: the link layer, of which addresses and multicast groups tell. */
  readonly link: boolean
}

/** What a command's first word names, such as the link that `link set` changes. */
export interface Subject {
  readonly placeholder: string
  readonly about: string
  readonly required?: boolean
  /** Words that may stand before it, such as `dev`. */
  readonly words?: readonly string[]
}

/** A command as it was given. */
export interface Call<P extends Parameters = Parameters> {
  readonly subject: string | undefined
  /** Further words where the verb takes several, as `monitor link addr` does. */
  readonly rest: readonly string[]
  /** What stands behind `--`, for a verb that takes it as it is. */
  readonly behind: readonly string[]
  readonly given: Given<P>
  readonly options: GlobalOptions
  readonly out: Output
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** The kernel that the command line or the environment names, if any. */
  readonly kernel: string | undefined
  /** The namespace that the command line names, if any. */
  readonly netns: string | undefined
  /** Ctrl-C. */
  readonly signal: AbortSignal
  /**
   * The kernel that was asked for, opened when it is first needed; `unasked` where the command line
   * and the environment name none.
   */
  open(unasked?: string): Promise<Connection>
  /** Remembers what is about to be asked of the kernel, so that an error can quote it. */
  asking<T>(request: T): T
}

/** One thing that can be done: `link list`, or a command without verbs such as `monitor`. */
export interface Verb {
  readonly aliases?: readonly string[]
  readonly summary: string
  /** Whole command lines, the most telling first; help opens with them. */
  readonly examples: readonly string[]
  readonly subject?: Subject
  /** What stands for any number of words that it takes besides its parameters. */
  readonly many?: string
  /** What stands for the words behind `--` that it takes as they are. */
  readonly behind?: string
  readonly parameters: Parameters
  /** Resolves with the exit code where it is not 0. */
  run(call: Call): Promise<number | undefined>
}

/** A verb whose `call.given` has the types of its parameters. */
export function verb<P extends Parameters>(
  definition: Omit<Verb, 'parameters' | 'run'> & {
    readonly parameters: P
    // biome-ignore lint/suspicious/noConfusingVoidType: most commands end without an exit code
    run(call: Call<P>): Promise<number | void>
  },
): Verb {
  return definition as Verb
}

/** An object with verbs, or a single command. */
export type Command = { readonly verbs: Readonly<Record<string, Verb>> } | { readonly only: Verb }
