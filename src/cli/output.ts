/** Where a command writes: data to one stream, everything else to the other, colours where wanted. */
import { styleText } from 'node:util'
import { toIndentedJson, toJson } from './json.ts'
import { type Column, formatTable } from './table.ts'

/** A stream, or what stands for one in a test. */
export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
}

export type ColorChoice = 'auto' | 'always' | 'never'
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan' | 'blue' | 'magenta'

function wantsColor(
  choice: ColorChoice,
  sink: Sink,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (choice !== 'auto') return choice === 'always'
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0'
  return sink.isTTY === true && env.TERM !== 'dumb'
}

/** One of the two streams of a command. */
export class Output {
  readonly #sink: Sink
  readonly #color: boolean

  constructor(
    sink: Sink,
    choice: ColorChoice = 'never',
    env: Readonly<Record<string, string | undefined>> = {},
  ) {
    this.#sink = sink
    this.#color = wantsColor(choice, sink, env)
  }

  /** Whether `style` does anything. */
  get isColored(): boolean {
    return this.#color
  }

  /** Text as it is. */
  write(text: string): void {
    this.#sink.write(text)
  }

  lines(lines: readonly string[]): void {
    if (lines.length > 0) this.#sink.write(`${lines.join('\n')}\n`)
  }

  line(text: string): void {
    this.#sink.write(`${text}\n`)
  }

  json(value: unknown): void {
    this.line(toJson(value))
  }

  /** JSON for eyes. */
  indented(value: unknown): void {
    this.line(toIndentedJson(value))
  }

  /** A table; behind each row the lines that `more` has for it. */
  table(
    columns: readonly Column[],
    rows: readonly (readonly string[])[],
    more: readonly (readonly string[])[] = [],
  ): void {
    const headed = columns.map((column) => ({
      ...column,
      heading: column.heading && this.style('dim', column.heading),
    }))
    const lines = formatTable(headed, rows)
    const headings = lines.length - rows.length
    this.lines(lines.flatMap((line, i) => [line, ...(more[i - headings] ?? [])]))
  }

  style(style: Style, text: string): string {
    if (!this.#color) return text
    return styleText(style, text, { validateStream: false })
  }
}
