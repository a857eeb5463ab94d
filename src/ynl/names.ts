/** Names as TypeScript has them, from names as the specs have them. */
import * as schema from '../schema/index.ts'
import * as wire from '../wire/constants.ts'

/** `num-tx-queues` as `numTxQueues`; begins with a lower-case letter and has letters and digits. */
export function camelCase(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const joined = words
    .map((word) => (/[a-z]/.test(word) ? word : word.toLowerCase()))
    .map((word, i) => (i === 0 ? lowerFirst(word) : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('')
  if (joined === '') return 'unnamed'
  return /^\d/.test(joined) ? `n${joined}` : joined
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1)
}

/** `ctrl-attr-op` as C has it: `CTRL_ATTR_OP`. */
export function upperCase(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()
}

/** What a file cannot declare. */
const RESERVED = `arguments await break case catch class const continue debugger default delete do
  else enum eval export extends false finally for function if implements import in instanceof
  interface let new null package private protected public return static super switch this throw
  true try typeof undefined var void while with yield Array BigInt Boolean Number Object Readonly
  Record String Symbol`
  .split(/\s+/)
  .concat(Object.keys(schema), Object.keys(wire))

/** Gives each thing a name of its own. */
export class Names {
  readonly #taken: Set<string>
  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken)
  }

  /** For the declarations of a file. */
  static ofFile(): Names {
    return new Names(RESERVED)
  }

  /** The first of `wanted` that is free, else the last of them with a number. */
  take(...wanted: readonly string[]): string {
    let found = wanted.find((each) => !this.#taken.has(each))
    const last = wanted.at(-1) as string
    for (let i = 2; found === undefined; i++)
      if (!this.#taken.has(`${last}${i}`)) found = `${last}${i}`
    this.#taken.add(found)
    return found
  }
}

/** `text` without `ending`, if it ends so. */
export function without(text: string, ending: RegExp): string {
  const rest = text.replace(ending, '')
  return rest === '' ? text : rest
}

/** What all `names` begin with up to a dash, such as `ifa-`; empty if they do not, or are few. */
export function sharedStart(names: readonly string[]): string {
  const [start] = /^[A-Za-z][A-Za-z0-9]*-/.exec(names[0] ?? '') ?? ['']
  const isShared = names.length > 1 && start !== '' && names.every((name) => name.startsWith(start))
  const isClear = names.every((name) => /^[A-Za-z]/.test(name.slice(start.length)))
  return isShared && isClear ? start : ''
}
