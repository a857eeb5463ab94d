/** A list of objects on its way out: written in pieces, as soon as there is enough of them. */
import type { Call } from './command.ts'
import { JsonPrinter, type Printer, TextPrinter } from './printer.ts'

/** Characters that are collected before they are written. */
const PIECE = 1 << 16

export class Listing {
  readonly printer: Printer
  readonly #out: Call['out']

  constructor({ out, options }: Pick<Call, 'out' | 'options'>) {
    this.#out = out
    this.printer = options.json
      ? new JsonPrinter()
      : new TextPrinter(
          out.isColored ? (style, text) => out.style(style, text) : undefined,
          options.oneline,
        )
    this.printer.openList()
  }

  /** One object: what `show` tells of it. */
  item(show: (p: Printer) => void): void {
    this.printer.open()
    show(this.printer)
    this.printer.close()
    this.flush(PIECE)
  }

  /** An object that a filter leaves out: ip(8) prints an empty one in JSON where it filters itself. */
  skip(): void {
    this.item(() => undefined)
  }

  /** Writes what there is, if it is more than `most` characters. */
  flush(most = 0): void {
    if (this.printer.length > most) this.#out.write(this.printer.take())
  }

  end(): void {
    this.printer.closeList()
    this.flush()
    if (this.printer.isJson) this.#out.write('\n')
  }
}
