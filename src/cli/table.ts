/** Columns of text, two spaces apart, as ip(8) and ss(8) would have them. */

/** A column: its heading, and on which side its cells stand. */
export interface Column {
  readonly heading: string
  readonly align?: 'right'
}

/** The columns that a terminal shows: characters, without colour codes. */
function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colour codes begin with
  return [...text.replace(/\x1b\[[\d;]*m/g, '')].length
}

function pad(text: string, to: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, to - width(text)))
  return align === 'right' ? space + text : text + space
}

/** Lines of `rows` under `columns`; without headings when they are all empty. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const headings = columns.map(({ heading }) => heading)
  const lines = headings.some((heading) => heading !== '') ? [headings, ...rows] : rows
  const widths = columns.map((_, i) => Math.max(0, ...lines.map((line) => width(line[i] ?? ''))))
  return lines.map((line) =>
    line
      .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align))
      .join('  ')
      .trimEnd(),
  )
}
