/** Alignment of D-Bus values: each type begins at a multiple of its own size. */

/** `offset` moved up to a multiple of `to`, a power of two. */
export function align(offset: number, to: number): number {
  return (offset + to - 1) & -to
}

/** Alignment of a type by its first character; 1 for what is none. */
export function alignmentOf(code: string): number {
  switch (code) {
    case 'n':
    case 'q':
      return 2
    case 'b':
    case 'i':
    case 'u':
    case 'h':
    case 's':
    case 'o':
    case 'a':
      return 4
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8
    default:
      return 1
  }
}
