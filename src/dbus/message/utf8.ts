/** Text of D-Bus strings: UTF-8 without a NUL, read and judged without a copy where it is ASCII. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
/** Up to here a loop over characters is quicker than the decoder. */
const SHORT = 48

/** The text of `bytes` from `start` to `end`, which is known to be UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return decoder.decode(bytes.subarray(start, end))
  let text = ''
  for (let i = start; i < end; i++) {
    const code = bytes[i]!
    if (code >= 0x80) return decoder.decode(bytes.subarray(start, end))
    text += String.fromCharCode(code)
  }
  return text
}

/** Whether `bytes` from `start` to `end` are UTF-8 without a NUL. */
export function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = bytes[i]!
    if (code === 0) return false
    if (code >= 0x80) return isWideText(bytes, i, end)
  }
  return true
}

function isWideText(bytes: Uint8Array, start: number, end: number): boolean {
  const rest = bytes.subarray(start, end)
  if (rest.includes(0)) return false
  try {
    strict.decode(rest)
    return true
  } catch {
    return false
  }
}

/** The bytes of `text`, as UTF-8. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}
